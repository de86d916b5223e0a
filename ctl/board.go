package ctl

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A Tone is how a piece of text looks on a full screen.
type Tone int

// The tones. Each has a word or a glyph beside it, so that a screen without colours says
// the same.
const (
	Plain Tone = iota
	Dim
	Bold
	Green
	Cyan
	Yellow
	Red
)

// A Piece is a part of a line that has one tone.
type Piece struct {
	Text string
	Tone Tone
}

// A Line is one line of a full screen.
type Line struct {
	ID     string // of the provider whose row this is; empty if it is a title
	Pieces []Piece
}

// Text is the line without its tones.
func (l Line) Text() string {
	text := ""
	for _, s := range l.Pieces {
		text += s.Text
	}
	return text
}

// styled is the line with its tones as escape sequences, and without the spaces at its end.
func (l Line) styled(colored bool) string {
	if !colored {
		return strings.TrimRight(l.Text(), " ")
	}
	text, spaces := "", ""
	for _, s := range l.Pieces {
		shown := strings.TrimRight(s.Text, " ")
		if shown != "" {
			if text += spaces; s.Tone != Plain {
				shown = toneStyles[s.Tone] + shown + colorOff
			}
			text, spaces = text+shown, ""
		}
		spaces += s.Text[len(strings.TrimRight(s.Text, " ")):]
	}
	return text
}

// toneStyles are the tones as escape sequences.
var toneStyles = [...]string{Plain: "", Dim: dim, Bold: bold, Green: green, Cyan: cyan, Yellow: yellow, Red: red}

// BoardOptions are how a [Board] is shown.
type BoardOptions struct {
	Width int
	Now   time.Time // times of the day are in its zone
	ASCII bool
	Away  bool // the daemon is away: the rows are as last known

	// UsableLast puts those that can be used after all others, for a screen that cannot be
	// scrolled.
	UsableLast bool

	// Margin has a mark, one column wide, to put in front of rows, by the ID of their provider.
	Margin map[string]string

	// Pulse returns the latencies of a provider in ms, the oldest first; 0 means that none was
	// measured. If Pulse is nil, there is no such column.
	Pulse func(id string) []float64
	// Uptime returns how much of the last 24 hours a provider was up, and false if that is not
	// known. If Uptime is nil, there is no such column.
	Uptime func(id string) (ratio float64, known bool)
}

// A Board is the status on a full screen: rows grouped by what they need, the most urgent
// group first, and within a group in their own order. It is pure; programs draw its lines.
type Board struct {
	opts   BoardOptions
	rows   []provider.Status
	lines  []boardLine
	grid   *grid
	widths []int
}

// A boardLine is the title of a group, or the place of a row.
type boardLine struct {
	title string // empty if it is a row
	row   int
}

// boardGroups are the groups, in order. It is not that of urgency, in which those that can
// be used are the last: people work with these, and a screen that scrolls may have many
// below them that are not there.
var boardGroups = [][]standing{
	{needsSomebody}, {failing}, {limited}, {starting}, {impaired, usable}, {stopped}, {keyless}, {notKnown}, {paused},
}

// NewBoard lays out rows.
func NewBoard(rows []provider.Status, opts BoardOptions) *Board {
	b := &Board{opts: opts, rows: make([]provider.Status, 0, len(rows))}
	groups := boardGroups
	if opts.UsableLast {
		groups = slices.SortedStableFunc(slices.Values(groups), func(a, b []standing) int { return int(a[0]) - int(b[0]) })
	}
	stand := make([]standing, len(rows))
	for i := range rows {
		stand[i] = standingOf(&rows[i], opts.Now)
	}
	for _, of := range groups {
		title := len(b.lines)
		for i := range rows {
			if !slices.Contains(of, stand[i]) {
				continue
			}
			if len(b.lines) == title {
				b.lines = append(b.lines, boardLine{})
			}
			b.lines = append(b.lines, boardLine{row: len(b.rows)})
			b.rows = append(b.rows, rows[i])
		}
		if count := len(b.lines) - title - 1; count > 0 {
			b.lines[title].title = needNames[of[0]] + " (" + strconv.Itoa(count) + ")"
			if opts.Away {
				b.lines[title].title += ", stale"
			}
		}
	}
	if opts.Away {
		for i := range b.rows {
			b.rows[i].Stale = true
		}
	}
	b.choose()
	return b
}

const (
	trendTitle  = "TREND"
	uptimeTitle = "UP 24H"

	shortTrend = 8
	longTrend  = 24
)

// choose takes the most columns that fit beside the margin.
func (b *Board) choose() {
	id, state, reason, short := idColumn(), stateColumn(), reasonColumn(true), reasonColumn(false)
	took, old, since, detail := latencyColumn(), ageColumn(), sinceColumn(), detailColumn()
	up := column{uptimeTitle, true, func(s provider.Status, _ time.Time) string { return b.uptime(s.ID) }}
	trends := map[string]string{} // the short ones, which several choices have
	trend := func(cells int) column {
		return column{trendTitle, false, func(s provider.Status, _ time.Time) string {
			if cells != shortTrend {
				return b.trend(s.ID, cells)
			}
			if _, known := trends[s.ID]; !known {
				trends[s.ID] = b.trend(s.ID, cells)
			}
			return trends[s.ID]
		}}
	}
	least := func(id int) map[string]int { return map[string]int{"ID": id} }
	choices := []columnChoice{
		{[]column{id, state, reason, took, trend(longTrend), up, old, since, detail}, map[string]int{"DETAIL": 20, "ID": 20}},
		{[]column{id, state, reason, took, trend(shortTrend), up, old, since, detail}, map[string]int{"DETAIL": 20, "ID": 20}},
		{[]column{id, state, reason, took, trend(shortTrend), up, old, since}, least(20)},
		{[]column{id, state, reason, took, trend(shortTrend), up, old}, least(16)},
		{[]column{id, state, reason, took, up, old}, least(16)},
		{[]column{id, state, reason, took, old}, least(16)},
		{[]column{id, state, reason, old}, least(12)},
		{[]column{id, state, short, old}, least(12)},
		{[]column{id, state, short}, map[string]int{"ID": 9, "REASON": 9}},
		{[]column{id, state}, least(1)},
	}
	width := max(1, b.opts.Width-len(noMark))
	for _, choice := range choices {
		b.grid = newGrid(choice.columns, b.rows, TableOptions{Now: b.opts.Now})
		for _, title := range []string{"DETAIL", "SINCE", trendTitle, uptimeTitle} {
			b.grid.drop(title)
		}
		b.widths = b.grid.widths()
		if b.grid.fit(b.widths, width, choice.least) {
			return
		}
	}
	b.grid.fit(b.widths, width, map[string]int{stateTitle: 1})
}

// trend is a provider's latencies as a row of bars, the latest at the right. Its width is
// fixed, so that columns stay in place as more come.
func (b *Board) trend(id string, cells int) string {
	if b.opts.Pulse == nil {
		return unknown
	}
	if text := Trend(b.opts.Pulse(id), cells, b.opts.ASCII); text != "" {
		return strings.Repeat(" ", cells-displayWidth(text)) + text
	}
	return unknown
}

func (b *Board) uptime(id string) string {
	if b.opts.Uptime == nil {
		return unknown
	}
	ratio, known := b.opts.Uptime(id)
	if !known {
		return unknown
	}
	return percent(&ratio)
}

// Len is how many lines there are below the column titles.
func (b *Board) Len() int { return len(b.lines) }

// IDs are the providers in the order of their rows.
func (b *Board) IDs() []string { return idsOf(b.rows) }

// Find returns the line of a provider's row, −1 if it has none.
func (b *Board) Find(id string) int {
	return slices.IndexFunc(b.lines, func(l boardLine) bool { return l.title == "" && b.rows[l.row].ID == id })
}

// ID is the provider whose row is line i, empty for the title of a group.
func (b *Board) ID(i int) string {
	if l := b.lines[i]; l.title == "" {
		return b.rows[l.row].ID
	}
	return ""
}

// Titles is the line above all others.
func (b *Board) Titles() Line {
	return Line{Pieces: b.cut(append([]Piece{{noMark, Plain}}, b.cells(b.grid.titles, func(int) Tone { return Plain })...))}
}

// top is the first lines, so many at most. If there are more, the last one counts the rows that
// are left out. A low screen shows rows rather than the titles of groups.
func (b *Board) top(room int) (lines []Line) {
	const low = 7
	rows := 0
	for i := range b.Len() {
		isRow := b.ID(i) != ""
		if !isRow && room < low {
			continue
		}
		if full := len(lines) >= room; full || room >= low && len(lines) == room-1 && i < b.Len()-1 {
			break
		}
		if lines = append(lines, b.Line(i)); isRow {
			rows++
		}
	}
	if rest := len(b.rows) - rows; rest > 0 && room >= low {
		lines = append(lines, Line{Pieces: b.cut([]Piece{{noMark + "… " + strconv.Itoa(rest) + " more", Dim}})})
	}
	return lines
}

// Line is line i.
func (b *Board) Line(i int) Line {
	l := b.lines[i]
	if l.title != "" {
		tone := Bold
		if b.opts.Away {
			tone = Dim
		}
		return Line{Pieces: b.cut([]Piece{{l.title, tone}})}
	}
	row := &b.rows[l.row]
	margin := noMark
	if sign := b.opts.Margin[row.ID]; sign != "" {
		margin = sign + " "
	}
	cells := b.cells(b.grid.rows[l.row], func(column int) Tone {
		switch {
		case b.opts.Away:
			return Dim
		case b.grid.titles[column] == stateTitle:
			return toneOf(row.State)
		}
		return Plain
	})
	return Line{ID: row.ID, Pieces: b.cut(append([]Piece{{margin, Plain}}, cells...))}
}

// cells are the pieces of one line of the grid.
func (b *Board) cells(cells []string, tone func(column int) Tone) (pieces []Piece) {
	for i, cell := range cells {
		text := cut(cell, b.widths[i])
		space := pad("", b.widths[i]-displayWidth(text))
		if b.grid.right[i] {
			text, space = space+text, ""
		}
		if i < len(cells)-1 {
			space += gap
		}
		pieces = append(pieces, Piece{text, tone(i)})
		if space != "" {
			pieces = append(pieces, Piece{space, Plain})
		}
	}
	return pieces
}

// cut fits a line to the width of the screen, and to its alphabet.
func (b *Board) cut(pieces []Piece) []Piece { return FitPieces(pieces, b.opts.Width, b.opts.ASCII) }

// FitPieces cuts a line to a width, and spells it in ASCII if wanted.
func FitPieces(pieces []Piece, width int, ascii bool) []Piece {
	for i := range pieces {
		pieces[i].Text = cut(pieces[i].Text, width)
		if width -= displayWidth(pieces[i].Text); ascii {
			pieces[i].Text = fittedASCII(pieces[i].Text)
		}
	}
	return pieces
}

// toneOf is the tone of a state.
func toneOf(s provider.State) Tone {
	switch s {
	case provider.StateRunning:
		return Green
	case provider.StateStarting:
		return Cyan
	case provider.StateDegraded:
		return Yellow
	case provider.StateError:
		return Red
	}
	return Dim
}
