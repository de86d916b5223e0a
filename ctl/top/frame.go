package top

import (
	"strconv"
	"strings"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A frameLine is a line of the screen.
type frameLine struct {
	pieces   []ctl.Piece
	selected bool
}

// The smallest heights with room for more than rows.
const (
	roomForBlank   = 12 // a blank line below the heading
	roomForAbout   = 16 // what the selected provider says, and what to do
	roomForHint    = 22 // its hint on two lines
	roomForMessage = 6
	roomForKeys    = 8
)

// frame is the whole screen, all its lines.
func (m *model) frame() []frameLine {
	head, foot := m.head(), m.foot()
	var body []frameLine
	switch m.view {
	case viewHelp:
		body = m.text(helpLines(m.width), &m.help)
	case viewCard:
		body = m.text(m.cardLines(), &m.card.scroll)
	case viewFleet:
		body = m.text(m.fleetLines(), &m.fleet.scroll)
	default:
		body = m.list()
	}
	lines := append(head, body...)
	for len(lines) < m.height-len(foot) {
		lines = append(lines, frameLine{})
	}
	lines = append(lines[:max(0, m.height-len(foot))], foot...)
	return lines[:min(len(lines), m.height)]
}

// text is the part of a text that is in view.
func (m *model) text(lines []ctl.Line, s *scroll) (shown []frameLine) {
	room := m.textRoom()
	s.by(0, len(lines), room)
	for _, line := range lines[s.first:min(len(lines), s.first+room)] {
		shown = append(shown, frameLine{pieces: ctl.FitPieces(line.Pieces, m.width, m.ascii)})
	}
	return shown
}

func (m *model) textRoom() int { return max(1, m.height-len(m.head())-len(m.foot())) }

// window returns the first line of the board that is shown, and how many are shown. The
// selected row is among them; if it is the first of its group, so is the group's title.
func (m *model) window() (first, room int) {
	b := m.laidOut()
	room = max(1, m.height-len(m.head())-1-len(m.foot()))
	if at := b.Find(m.selected); at >= 0 {
		above := at
		if room > 1 && b.ID(at-1) == "" {
			above--
		}
		m.first = min(m.first, above)
		m.first = max(m.first, at-room+1)
	}
	m.first = max(0, min(m.first, b.Len()-room))
	return m.first, room
}

// list is the titles, and as many rows as fit.
func (m *model) list() []frameLine {
	b := m.laidOut()
	if b.Len() == 0 {
		return m.empty()
	}
	first, room := m.window()
	lines := []frameLine{{pieces: b.Titles().Pieces}}
	for i := first; i < min(b.Len(), first+room); i++ {
		line := b.Line(i)
		selected := line.ID != "" && line.ID == m.selected
		if selected {
			line.Pieces[0].Text = cursor(line.Pieces[0].Text)
		}
		lines = append(lines, frameLine{line.Pieces, selected})
	}
	return lines
}

// cursor is the margin of the selected row. It keeps the row's mark.
func cursor(margin string) string {
	if rest, blank := strings.CutPrefix(margin, " "); blank {
		return ">" + rest
	}
	return margin
}

// empty is why there is no row.
func (m *model) empty() []frameLine {
	switch {
	case !m.loaded:
		return m.said("waiting for the daemon…", ctl.Dim)
	case len(m.rows) == 0:
		return m.said("no provider is configured; add one to the configuration; see: "+m.spell("providerctl info"), ctl.Plain)
	}
	return m.said("none of the "+strconv.Itoa(len(m.rows))+" providers has these words; Esc shows all", ctl.Plain)
}

// one is a text cut to one line.
func (m *model) one(text string, tone ctl.Tone) frameLine {
	return frameLine{pieces: ctl.FitPieces([]ctl.Piece{{Text: text, Tone: tone}}, m.width, m.ascii)}
}

// said is a text, wrapped.
func (m *model) said(text string, tone ctl.Tone) (lines []frameLine) {
	if m.ascii { // before lines are wrapped, because some characters take more columns in ASCII
		text = m.plain(text)
	}
	for _, line := range ctl.Wrap(text, m.width) {
		lines = append(lines, m.one(line, tone))
	}
	return lines
}

// plain is a text for people, without invisible characters.
func (m *model) plain(text string) string {
	text = provider.Printable(m.spell(text))
	if m.ascii {
		text = ctl.ASCII(text)
	}
	return text
}

// head is the time and a summary, and whether the daemon is away.
func (m *model) head() []frameLine {
	text := m.daemonNow().Format("15:04:05")
	if m.loaded {
		m.laidOut()
		text += "  " + m.summary
	}
	lines := []frameLine{m.one(text, ctl.Bold)}
	switch {
	case !m.gone.IsZero():
		most := max(2, m.height/4)
		banner := m.said("the daemon has been away since "+m.gone.Local().Format("15:04:05")+": "+
			m.plain(errorText(m.why)), ctl.Red)
		lines = append(lines, banner[:min(most, len(banner), max(0, m.height-2))]...)
	case m.height >= roomForBlank:
		lines = append(lines, frameLine{})
	}
	return lines[:min(len(lines), m.height)]
}

// foot is about the selected row, the result of an action, and the keys.
func (m *model) foot() (lines []frameLine) {
	if m.view == viewList && m.height >= roomForAbout {
		lines = append(lines, m.about()...)
	}
	if m.height >= roomForMessage {
		const most = 3
		said := m.said(m.message.text, m.message.tone)
		if len(said) > most {
			said = said[:most]
		}
		lines = append(lines, said...)
	}
	switch {
	case m.typing || m.filter != "":
		lines = append(lines, m.filterLine())
	case m.height >= roomForKeys:
		lines = append(lines, m.keyLine())
	}
	return lines
}

// about is a few lines about the selected provider, always as many, so that the rows stay
// where they are.
func (m *model) about() []frameLine {
	lines := make([]frameLine, 3, 4)
	if m.height >= roomForHint {
		lines = lines[:4]
	}
	m.laidOut()
	row := m.find(m.selected)
	if row == nil {
		return lines
	}
	if upkeep := ctl.Upkeep([]provider.Status{row.Status}, m.maintained, m.daemonNow()); upkeep != "" {
		lines[0] = m.one(m.plain(upkeep), ctl.Dim)
	}
	if detail := ctl.Detail(&row.Status); detail != "" {
		lines[1] = m.one(m.plain(row.ID+": "+detail), ctl.Plain)
	}
	if advice := ctl.Advice(&row.Status, m.daemonNow()); advice != "" {
		hint := ctl.Wrap("hint: "+m.plain(advice), m.width)
		if last := len(lines) - 3; len(hint) > last+1 { // it is cut there
			hint = append(hint[:last], strings.Join(hint[last:], " "))
		}
		for i, line := range hint {
			lines[2+i] = m.one(line, ctl.Plain)
		}
	}
	return lines
}

func (m *model) filterLine() frameLine {
	text, after := "/"+m.filter, ""
	if m.typing {
		text += "_"
	} else {
		after = "  Esc shows all"
	}
	if m.loaded {
		after = "  " + strconv.Itoa(len(m.laidOut().IDs())) + " of " + strconv.Itoa(len(m.rows)) + after
	}
	return frameLine{pieces: ctl.FitPieces([]ctl.Piece{{Text: text, Tone: ctl.Bold}, {Text: after, Tone: ctl.Dim}}, m.width, m.ascii)}
}

// keyLine is as many keys as fit.
func (m *model) keyLine() frameLine {
	texts := []string{"? help", "q quit", "/ filter", "Enter card", "r refresh", "R all", "d diagnose", "p pause", "w wait"}
	texts = append(append(texts, m.actKeys(m.selected)...), "f fleet")
	switch m.view {
	case viewHelp:
		texts = []string{"Esc back", "j k scroll"}
	case viewFleet:
		texts = []string{"Esc back", "? help", "j k scroll", "R refresh all"}
	case viewCard:
		texts = []string{"Esc back", "? help", "j k scroll", "r refresh", "d diagnose", "p pause", "w wait"}
		texts = append(texts, m.actKeys(m.card.id)...)
	}
	line, used := "", 0
	for _, text := range texts {
		if used+len(text) > m.width {
			break
		}
		line += text + "  "
		used = len(line)
	}
	return m.one(line, ctl.Dim)
}
