package ctl

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// The sequences with which xterm and its successors save and restore the screen.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"             // without a cursor
	leaveScreen = "\x1b[H\x1b[J\x1b[?25h\x1b[?1049l" // a terminal that cannot restore it is cleared
	goHome      = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// markFor is how long a row that changed is marked.
const markFor = 10 * time.Second

// A screenView shows a status on the whole screen: a line with the time and a summary,
// then as many rows as fit, the most urgent first. They are grouped as in providerctl top,
// unless another format or order was chosen. It draws when the status changes, when
// the screen is resized, and once a second for its clock.
type screenView struct {
	app    *app
	wanted *statusView
	stop   func() // ends drawByItself, and waits for it

	mu      sync.Mutex
	entered bool
	drawn   time.Time
	body    *statusBody // nil: nothing has been shown yet
	all     []provider.Status
	came    time.Time // when the body did
	gone    time.Time // since when the daemon has been away; zero: it is there
	why     error     // and why
	seen    map[string]sight
	changed map[string]time.Time // when rows changed
	pulses  Pulses
}

func newScreenView(ctx context.Context, a *app, wanted *statusView) *screenView {
	s := &screenView{app: a, wanted: wanted, seen: map[string]sight{}, changed: map[string]time.Time{}}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); s.drawByItself(ctx) }()
	s.stop = func() { cancel(); <-done }
	return s
}

// drawByItself redraws for the clock and for a new size.
func (s *screenView) drawByItself(ctx context.Context) {
	events, end := ScreenEvents()
	defer end()
	clock := time.NewTicker(watchPace)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
			s.redraw(watchPace - watchPace/10)
		case event := <-events:
			if IsSuspend(event) {
				s.suspended(ctx, events)
			}
			s.redraw(0)
		}
	}
}

// redraw draws what there is, unless that was drawn a moment ago. If it fails, the next
// show returns the error.
func (s *screenView) redraw(moment time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body != nil && s.app.now().Sub(s.drawn) >= moment {
		_ = s.draw()
	}
}

// suspended restores the screen while the process is stopped.
func (s *screenView) suspended(ctx context.Context, events chan ScreenEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.leave()
	StopProcess(ctx, events)
}

// show draws a status, and marks the rows that changed.
func (s *screenView) show(body *statusBody, all []provider.Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.app.now()
	seen := map[string]sight{}
	for i, is := range sights(body.Providers) {
		id := body.Providers[i].ID
		if was, known := s.seen[id]; s.body != nil && (!known || was != is) {
			s.changed[id] = now
		}
		seen[id] = is
		s.pulses.Take(&body.Providers[i])
	}
	s.pulses.Keep(func(id string) bool { _, there := seen[id]; return there })
	s.body, s.all, s.came, s.seen, s.gone, s.why = body, all, now, seen, time.Time{}, nil
	return s.draw()
}

func (s *screenView) away(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone, s.why = s.app.now(), err
	_ = s.draw()
}

// end restores the screen.
func (s *screenView) end() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leave()
}

func (s *screenView) leave() error {
	if !s.entered {
		return nil
	}
	s.entered = false
	_, err := s.app.bytes.Write([]byte(leaveScreen))
	return err
}

// draw writes the whole screen.
func (s *screenView) draw() error {
	t := s.app.term
	now := s.app.now()
	height := t.height()
	if height <= 0 {
		const usual = 24
		height = usual
	}
	text := s.text(t.width(), height, now)
	var out bytes.Buffer
	if !s.entered {
		out.WriteString(enterScreen)
	}
	out.WriteString(goHome)
	for i, line := range text {
		if i > 0 {
			out.WriteByte('\n')
		}
		line = s.app.screen.Clean(line)
		if t.ascii {
			line = []byte(fittedASCII(string(line)))
		}
		out.Write(line)
		out.WriteString(clearLine)
	}
	out.WriteString(clearBelow)
	s.entered, s.drawn = true, now
	_, err := s.app.bytes.Write(out.Bytes()) // with sequences that move the cursor
	return err
}

// text is the screen's content, at most height lines of at most width columns.
func (s *screenView) text(width, height int, now time.Time) [][]byte {
	const roomy = 10 // lines, from which one can be left empty
	opts := s.app.optionsOf(s.wanted, &s.body.StatusReply, len(s.all))
	opts.Width, opts.Now = width, s.body.TS.Local().Add(now.Sub(s.came))
	opts.Strict, opts.Summary, opts.Sorted = true, false, s.wanted.sel.sort.value != sortConfigured
	opts.Marked = s.marked(now)

	head := [][]byte{[]byte(cut(s.heading(opts, now), width))}
	if height >= roomy {
		head = append(head, nil)
	}
	opts.Height = max(1, height-len(head))
	if opts.Wide || opts.Sorted || opts.NoHeaders || len(s.body.Providers) == 0 {
		return s.table(head, height, opts)
	}
	lines := append(head, s.board(opts)...)
	return lines[:min(len(lines), height)]
}

// table is the content if another format or order than groups was chosen.
func (s *screenView) table(head [][]byte, height int, opts TableOptions) [][]byte {
	reply := s.body.StatusReply
	if !opts.Sorted {
		reply.Providers = byUrgency(reply.Providers, opts.Now)
	}
	var table bytes.Buffer
	if len(reply.Providers) > 0 {
		_ = WriteTable(&table, reply, opts) // a buffer never fails
	}
	lines := bytes.Split(bytes.TrimSuffix(table.Bytes(), []byte("\n")), []byte("\n"))
	lines = slices.Concat(head, lines)
	if len(lines) > height {
		if lines = lines[:height]; height > len(head)+2 { // else another row is worth more
			lines[height-1] = []byte(noMark + "…")
		}
	}
	return lines
}

// board is the view of top: groups of rows and, below them, what to do about those that need
// it. If not all fit, those that can be used are left out first, because nobody can scroll.
func (s *screenView) board(opts TableOptions) (lines [][]byte) {
	margin := map[string]string{}
	for id := range opts.Marked {
		margin[id] = strings.TrimSpace(mark)
	}
	inner := opts
	inner.Width = max(1, opts.Width-len(noMark))
	board := BoardOptions{
		Width: opts.Width, Now: opts.Now, ASCII: opts.ASCII, Away: !s.gone.IsZero(), Margin: margin, Pulse: s.pulses.Of,
	}
	b := NewBoard(s.body.Providers, board)
	advice := adviceLines(s.body.Providers, b.widths[0], inner)
	if 1+b.Len()+len(advice) > opts.Height {
		board.UsableLast = true
		b = NewBoard(s.body.Providers, board)
		advice = fewer(advice, opts.Height/3)
	}
	lines = append(lines, []byte(b.Titles().styled(opts.Color)))
	for _, l := range b.top(opts.Height - 1 - len(advice)) {
		lines = append(lines, []byte(l.styled(opts.Color)))
	}
	return append(lines, advice...)
}

// adviceLines is an empty line and the hints of rows.
func adviceLines(rows []provider.Status, idWidth int, opts TableOptions) [][]byte {
	var lines [][]byte
	for _, hint := range hints(rows, idWidth, opts) {
		if lines == nil {
			lines = append(lines, nil)
		}
		lines = append(lines, bytes.Split([]byte(strings.TrimSuffix(indented(hint), "\n")), []byte("\n"))...)
	}
	return lines
}

// fewer is at most so many lines of advice, none if only the empty line fits.
func fewer(advice [][]byte, most int) [][]byte {
	if most < 2 {
		return nil
	}
	return advice[:min(len(advice), most)]
}

// marked are the rows that changed recently.
func (s *screenView) marked(now time.Time) map[string]bool {
	marked := map[string]bool{}
	for id, at := range s.changed {
		if now.Sub(at) >= markFor {
			delete(s.changed, id)
			continue
		}
		marked[id] = true
	}
	return marked
}

// heading is the time, and a summary or that the daemon is away.
func (s *screenView) heading(opts TableOptions, now time.Time) string {
	text := now.Format("15:04:05") + gap
	if !s.gone.IsZero() {
		return text + "the daemon has been away since " + s.gone.Format("15:04:05") + ", waiting for it: " + provider.Printable(s.why.Error())
	}
	if len(s.body.Providers) == 0 {
		if len(s.all) == 0 {
			return text + "no provider is configured"
		}
		message, _ := s.wanted.sel.nothing(s.all)
		return text + provider.Printable(message)
	}
	c := censusOf(s.body.Providers, opts.Now)
	return text + c.line(opts.OutOf, opts.Now)
}
