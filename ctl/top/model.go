package top

import (
	"maps"
	"slices"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A model is everything that the program knows. Only the program's own goroutine uses it.
type model struct {
	now   func() time.Time
	ascii bool
	spell func(string) string

	width, height int

	rows   []row          // in the configuration's order
	places map[string]int // of the rows, by ID
	loaded bool           // there has been a reply

	maintained []provider.Maintenance // of any of them

	ahead time.Duration
	gone  time.Time // since when the daemon has been away; zero if it is not
	why   error     // and why

	changed map[string]time.Time // when rows last changed
	pulses  ctl.Pulses
	past    map[string]float64   // how much of the last day each was up; nil if the daemon does not report it
	hours   map[string][]float64 // the median latencies of their last hours

	view     view
	below    view   // what the help covers
	selected string // the ID of the selected row
	first    int    // the first line of the board that is shown
	filter   string
	typing   bool // the filter is being typed
	card     card
	fleet    fleetScreen
	help     scroll

	refreshing *refreshing // nil if none is in progress
	diagnosing string      // the ID; empty if none is in progress
	waits      map[string]bool
	acts       actState
	message    message

	board     *ctl.Board // nil: it has to be laid out again
	laidAt    time.Time  // when it was laid out
	summary   string     // of all rows, as of then
	boardRows []provider.Status
}

// A row is a provider's status, and when it came.
type row struct {
	provider.Status
	came time.Time
}

// A view is what fills the screen.
type view int

const (
	viewList view = iota
	viewCard
	viewFleet
	viewHelp
)

// A message is the result of an action, on the line above the keys.
type message struct {
	text   string
	tone   ctl.Tone
	acting bool // it is how an action goes on
}

// markFor is how long a row that changed is marked.
const markFor = 10 * time.Second

func newModel(now func() time.Time, opts Options) *model {
	spell := opts.Spell
	if spell == nil {
		spell = func(hint string) string { return hint }
	}
	return &model{
		now: now, ascii: opts.ASCII, spell: spell, width: 80, height: 24,
		changed: map[string]time.Time{}, hours: map[string][]float64{}, waits: map[string]bool{},
	}
}

// The model's inputs, apart from keys.
type (
	// A rowsCame is a reply with all rows, or with those of the named ones that exist.
	rowsCame struct {
		reply *provider.StatusReply
		whole bool
	}
	daemonAway struct{ err error }
	pastCame   struct{ past map[string]float64 }
	hoursCame  struct {
		id string
		ms []float64
	}
	clockTicked  struct{}
	sizeChanged  struct{ width, height int }
	refreshBegan struct {
		ids   []string // none means all
		reply *provider.RefreshReply
		err   error
	}
	diagnoseEnded struct {
		id    string
		reply *provider.DiagnoseReply
		err   error
	}
	pauseEnded struct {
		id  string
		to  bool // paused
		row *provider.Status
		err error
	}
	cardCame struct {
		id    string
		parts ctl.CardParts
		err   error // the first
	}
)

// update handles one input, and returns what has to be done.
func (m *model) update(what any) []effect {
	switch w := what.(type) {
	case key:
		return m.press(w)
	case rowsCame:
		return m.takeRows(w)
	case daemonAway:
		if m.gone.IsZero() {
			m.gone = m.now()
		}
		m.why = w.err
	case pastCame:
		m.past = w.past
	case hoursCame:
		m.hours[w.id] = w.ms
	case sizeChanged:
		m.width, m.height = w.width, w.height
	case refreshBegan:
		return m.refreshBegan(w)
	case diagnoseEnded:
		m.diagnoseEnded(w)
	case pauseEnded:
		m.pauseEnded(w)
	case actStepped:
		m.actStepped(w)
	case actEnded:
		m.actEnded(w)
	case cardCame:
		if w.id == m.card.id {
			m.card.take(w)
		}
	case fleetCame, fleetChanged:
		return m.fleetNews(w)
	case clockTicked:
		const fresh = 900 * time.Millisecond // rows that come every second are enough for their ages
		if m.now().Sub(m.laidAt) >= fresh {
			m.board = nil
		}
		m.sayActing()
		return slices.Concat(m.progress(), m.dueCard(), m.dueFleet())
	}
	m.board = nil
	return m.progress()
}

// takeRows handles a reply with rows.
func (m *model) takeRows(r rowsCame) (effects []effect) {
	now := m.now()
	m.ahead = r.reply.TS.Sub(now)
	back := !m.gone.IsZero()
	m.gone, m.why = time.Time{}, nil
	fresh := make([]row, 0, len(r.reply.Providers))
	for _, s := range r.reply.Providers {
		at, was := m.places[s.ID]
		if m.loaded && (was && ctl.Changed(&m.rows[at].Status, &s) || !was) {
			m.changed[s.ID] = now
		}
		m.pulses.Take(&s)
		effects = append(effects, m.awaited(&s)...)
		fresh = append(fresh, row{s, now})
		if was && !r.whole {
			m.rows[at] = fresh[len(fresh)-1]
		}
	}
	if r.whole {
		m.maintained = r.reply.Maintenance
		m.rows = fresh
		m.placeAll()
	}
	if m.loaded = true; back {
		m.say(ctl.Green, "the daemon is back")
	}
	m.board = nil
	return append(effects, m.progress()...)
}

// placeAll notes where each row is, and forgets providers that are gone.
func (m *model) placeAll() {
	m.places = make(map[string]int, len(m.rows))
	for i := range m.rows {
		m.places[m.rows[i].ID] = i
	}
	gone := func(id string) bool { _, there := m.places[id]; return !there }
	m.pulses.Keep(func(id string) bool { return !gone(id) })
	maps.DeleteFunc(m.hours, func(id string, _ []float64) bool { return gone(id) })
	maps.DeleteFunc(m.waits, func(id string, _ bool) bool { return gone(id) })
	maps.DeleteFunc(m.changed, func(id string, _ time.Time) bool { return gone(id) })
}

// say replaces the message.
func (m *model) say(tone ctl.Tone, text string) {
	m.message = message{text: provider.Printable(m.spell(text)), tone: tone}
}

// sayError shows what failed, and what to do about it.
func (m *model) sayError(what string, err error) {
	text := what + ": " + errorText(err)
	m.say(ctl.Red, text)
}

// daemonNow is the time by the daemon's clock, in the local zone.
func (m *model) daemonNow() time.Time { return m.now().Add(m.ahead).Local() }

// find returns the row of a provider, nil if there is none.
func (m *model) find(id string) *row {
	if at, there := m.places[id]; there {
		return &m.rows[at]
	}
	return nil
}

// aged is a row's status with its age as of now.
func (m *model) aged(r *row) provider.Status {
	s := r.Status
	if s.AgeMS != nil {
		ms := *s.AgeMS + m.now().Sub(r.came).Milliseconds()
		s.AgeMS = &ms
	}
	return s
}

// laidOut is the board of the rows that the filter selects. It keeps a row selected.
func (m *model) laidOut() *ctl.Board {
	if m.board != nil {
		return m.board
	}
	now := m.now()
	margin := map[string]string{}
	for id, at := range m.changed {
		if now.Sub(at) >= markFor {
			delete(m.changed, id)
			continue
		}
		margin[id] = "*"
	}
	for id := range m.waits {
		margin[id] = "w"
	}
	m.boardRows = m.boardRows[:0]
	for i := range m.rows {
		m.boardRows = append(m.boardRows, m.aged(&m.rows[i]))
	}
	m.summary = m.plain(ctl.SumUp(m.boardRows, 0, m.daemonNow()))
	if m.filter != "" {
		m.boardRows = slices.DeleteFunc(m.boardRows, func(s provider.Status) bool { return !matches(&s, m.filter) })
	}
	opts := ctl.BoardOptions{
		Width: m.width, Now: m.daemonNow(), ASCII: m.ascii, Away: !m.gone.IsZero(), Margin: margin, Pulse: m.pulse,
	}
	if m.past != nil {
		opts.Uptime = m.uptime
	}
	m.board, m.laidAt = ctl.NewBoard(m.boardRows, opts), now
	m.keepSelection()
	return m.board
}

// keepSelection selects the first row if the selected one is not shown.
func (m *model) keepSelection() {
	if m.board.Find(m.selected) >= 0 {
		return
	}
	m.selected = ""
	if ids := m.board.IDs(); len(ids) > 0 {
		m.selected = ids[0]
	}
}

// visible are the providers whose rows the screen shows now.
func (m *model) visible() []string {
	if m.view == viewCard {
		return []string{m.card.id}
	}
	b := m.laidOut()
	first, room := m.window()
	var ids []string
	for i := first; i < min(b.Len(), first+room); i++ {
		if id := b.ID(i); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// left are the rows that a refresh waits for.
func (m *model) left() []string {
	if m.refreshing == nil {
		return nil
	}
	return m.refreshing.left()
}
