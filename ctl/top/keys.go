package top

import (
	"slices"
	"unicode/utf8"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A key is one that was pressed: a character, or the name of another key in angle
// brackets.
type key string

// The keys that are not characters.
const (
	keyUp        key = "<up>"
	keyDown      key = "<down>"
	keyPageUp    key = "<pgup>"
	keyPageDown  key = "<pgdn>"
	keyHome      key = "<home>"
	keyEnd       key = "<end>"
	keyEnter     key = "<enter>"
	keyEscape    key = "<esc>"
	keyBackspace key = "<backspace>"
	keyInterrupt key = "<ctrl-c>"
	keySuspend   key = "<ctrl-z>"
	keyRedraw    key = "<ctrl-l>"
	keyErase     key = "<ctrl-u>"
)

// press handles a key.
func (m *model) press(k key) []effect {
	switch k {
	case keyInterrupt:
		return []effect{quit{}}
	case keySuspend:
		return []effect{suspend{}}
	case keyRedraw:
		return []effect{redraw{}}
	}
	if m.refreshing == nil && m.diagnosing == "" {
		m.message = message{} // it has been read
	}
	if m.acts.sure != nil {
		return m.pressSure(k)
	}
	if m.typing {
		m.typeFilter(k)
		return nil
	}
	switch m.view {
	case viewHelp:
		return m.pressInText(k, &m.help, len(helpLines(m.width)), m.below)
	case viewCard:
		return m.pressInCard(k)
	case viewFleet:
		return m.pressInFleet(k)
	}
	return m.pressInList(k)
}

func (m *model) pressInList(k key) []effect {
	m.laidOut() // so that the filter shows the selected row
	switch k {
	case "q":
		return []effect{quit{}}
	case "?":
		m.openHelp()
	case "/":
		m.typing = true
	case keyEscape:
		m.setFilter("")
		m.message = message{}
	case keyEnter:
		return m.openCard()
	case "f":
		return m.openFleet()
	case "j", keyDown:
		m.move(1)
	case "k", keyUp:
		m.move(-1)
	case keyPageDown, " ":
		m.move(m.page())
	case keyPageUp, "b":
		m.move(-m.page())
	case keyHome, "g":
		m.move(-len(m.rows))
	case keyEnd, "G":
		m.move(len(m.rows))
	default:
		return m.act(k, m.selected)
	}
	return nil
}

// act does what a key means for a provider, in the list or on its card.
func (m *model) act(k key, id string) []effect {
	if k == "R" {
		return m.refresh(nil)
	}
	if id == "" {
		return nil
	}
	switch k {
	case "r":
		return m.refresh([]string{id})
	case "d":
		return m.diagnose(id)
	case "p":
		return m.pause(id)
	case "w":
		m.wait(id)
	}
	if verb, acts := verbs[k]; acts {
		return m.actOn(id, verb)
	}
	return nil
}

// page is how many rows a page has, less one so that people keep their place.
func (m *model) page() int {
	_, room := m.window()
	return max(1, room-1)
}

// move selects the row that is so many rows further down.
func (m *model) move(by int) {
	b := m.laidOut()
	ids := b.IDs()
	if len(ids) == 0 {
		return
	}
	at := max(0, slices.Index(ids, m.selected))
	m.selected = ids[max(0, min(len(ids)-1, at+by))]
}

func (m *model) typeFilter(k key) {
	switch k {
	case keyEnter:
		m.typing = false
	case keyEscape:
		m.typing = false
		m.setFilter("")
	case keyBackspace:
		if m.filter == "" {
			m.typing = false
			return
		}
		_, size := utf8.DecodeLastRuneInString(m.filter)
		m.setFilter(m.filter[:len(m.filter)-size])
	case keyErase:
		m.setFilter("")
	case keyUp:
		m.move(-1)
	case keyDown:
		m.move(1)
	default:
		if text := string(k); len([]rune(text)) == 1 && len(m.filter) < maxFilter && provider.Printable(text) == text {
			m.setFilter(m.filter + text)
		}
	}
}

// maxFilter bounds what is typed, or pasted.
const maxFilter = 200

func (m *model) setFilter(text string) { m.filter, m.board = text, nil }

// A scroll is the first line of a text that is shown.
type scroll struct{ first int }

// by scrolls by so many lines, within the text.
func (s *scroll) by(lines, length, room int) {
	s.first = max(0, min(s.first+lines, length-room))
}

func (m *model) openHelp() { m.below, m.view, m.help = m.view, viewHelp, scroll{} }

// pressInText scrolls, or goes back to another view.
func (m *model) pressInText(k key, s *scroll, length int, back view) []effect {
	room := m.textRoom()
	switch k {
	case "q", keyEscape, "?", keyEnter:
		m.view = back
	case "j", keyDown:
		s.by(1, length, room)
	case "k", keyUp:
		s.by(-1, length, room)
	case keyPageDown, " ":
		s.by(max(1, room-1), length, room)
	case keyPageUp, "b":
		s.by(-max(1, room-1), length, room)
	case keyHome, "g":
		s.first = 0
	case keyEnd, "G":
		s.by(length, length, room)
	}
	return nil
}

// helpLines explains each key.
func helpLines(width int) (lines []ctl.Line) {
	for _, pair := range helpTexts {
		if pair[1] == "" {
			lines = append(lines, ctl.Line{}, ctl.Line{Pieces: []ctl.Piece{{Text: pair[0], Tone: ctl.Bold}}})
			continue
		}
		const keys = 14
		text := ctl.Wrap(pair[1], max(10, width-keys))
		for i, line := range text {
			name := ""
			if i == 0 {
				name = pair[0]
			}
			lines = append(lines, ctl.Line{Pieces: []ctl.Piece{{Text: padded(name, keys), Tone: ctl.Cyan}, {Text: line}}})
		}
	}
	return lines[1:]
}

func padded(text string, width int) string {
	for len([]rune(text)) < width {
		text += " "
	}
	return text
}

var helpTexts = [][2]string{
	{"Move", ""},
	{"j k, arrows", "the next and the previous row"},
	{"PgUp PgDn", "a page; also b and the space bar"},
	{"Home End", "the first and the last row; also g and G"},
	{"Enter", "all about the provider: card, last probe, models, history"},
	{"f", "the fleet: its machines, their servers, and who probes what"},
	{"Esc, q", "back; in the list, Esc clears the filter and q quits"},
	{"/", "show only rows with these words; Enter keeps them, Esc shows all rows"},
	{"Act on the selected provider", ""},
	{"r", "probe it now"},
	{"R", "probe all providers now"},
	{"d", "probe it on a new connection, and show each layer"},
	{"p", "pause it or, if it is paused, resume it"},
	{"w", "ring the bell when it can be used; press again to cancel"},
	{"s x X", "start, stop or restart its unit, if it has one; stop and restart ask first"},
	{"Ctrl-L", "draw the screen again"},
	{"Ctrl-Z", "suspend; the shell's fg continues"},
	{"Read the rows", ""},
	{"*", "changed in the last 10 seconds"},
	{"w", "the bell will ring for it"},
	{"TREND", "latencies of the last hours, or of the probes seen so far. The lowest has the smallest bar; each bar more is half as much again"},
	{"UP 24H", "how much of the known time of the last 24 hours it was RUNNING"},
	{"stale", "not probed for long, or the daemon is away: the row is as last known"},
}
