package top

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

const (
	// pace is how often the rows that the screen shows are read again: their ages and
	// latencies change without an event.
	pace = time.Second

	// hurry is how often rows are read while a refresh waits for them.
	hurry = 200 * time.Millisecond

	// gather is how long events are gathered before the rows that they name are read.
	gather = 50 * time.Millisecond

	// fewRows is how many rows a request names at most. If there are no more, or if more are
	// wanted, it reads all rows.
	fewRows = 64

	// The history is read again when it has grown by a part, at least and at most this often.
	pastGrowth = 20
	pastMost   = 5 * time.Minute
	pastLeast  = 15 * time.Second

	// retryPause is the time between attempts while the daemon is away.
	retryPause = 200 * time.Millisecond
)

// A follower keeps the rows current: it sends the model what it reads.
type follower struct {
	client *client.Client
	send   func(context.Context, any)

	mu      sync.Mutex
	shown   []string // the rows that the screen shows
	awaited []string // the rows that a refresh waits for
	urged   chan struct{}

	begun  bool
	total  int       // rows
	pastAt time.Time // when the history is to be read again

	hasPast  bool            // the daemon has one
	detailed map[string]bool // the providers whose hours have been read since

	changes struct {
		sync.Mutex
		ids map[string]bool
	}
	changed chan struct{}
}

func newFollower(c *client.Client, send func(context.Context, any)) *follower {
	f := &follower{client: c, send: send, urged: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
	f.changes.ids = map[string]bool{}
	return f
}

// want sets which rows the screen shows, and which a refresh waits for.
func (f *follower) want(shown, awaited []string) {
	f.mu.Lock()
	more := len(awaited) > 0 && len(f.awaited) == 0
	f.shown, f.awaited = shown, awaited
	f.mu.Unlock()
	if more {
		wake(f.urged)
	}
}

func (f *follower) wanted() (shown, awaited []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shown, f.awaited
}

// run follows one daemon after the other until ctx ends. It fails if there is no daemon when it
// starts, or with an error that will not pass.
func (f *follower) run(ctx context.Context) error {
	for {
		err := f.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !f.begun || !ctl.MayReturn(err):
			return err
		}
		f.send(ctx, daemonAway{err})
		pause(ctx, retryPause)
	}
}

// follow keeps the rows current while one daemon answers.
func (f *follower) follow(ctx context.Context) error {
	seq, err := f.read(ctx, nil)
	if err != nil {
		return err
	}
	f.begun, f.pastAt = true, time.Time{}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- f.events(ctx, seq) }()
	streaming := true
	defer func() {
		if cancel(); streaming {
			<-ended
		}
	}()
	for {
		if err := f.readPast(ctx); err != nil {
			return err
		}
		shown, awaited := f.wanted()
		wait := pace
		if len(awaited) > 0 {
			wait = hurry
		}
		timer := time.NewTimer(wait)
		ids := slices.Concat(shown, awaited)
		select {
		case err := <-ended:
			streaming = false
			timer.Stop()
			return err
		case <-f.changed:
			timer.Stop()
			pause(ctx, gather)
			ids = f.takeChanges()
		case <-f.urged:
			timer.Stop()
			continue
		case <-timer.C:
		}
		if _, err := f.read(ctx, ids); err != nil {
			return err
		}
	}
}

// everything is the ID that stands for all rows.
const everything = ""

// events notes the IDs that events name. A heartbeat reads all rows, because a reload adds
// and removes providers without an event.
func (f *follower) events(ctx context.Context, since uint64) error {
	note := func(n provider.StreamNote) {
		switch n.Type {
		case provider.NoteEnd:
		case provider.NoteFleet: // the rows on the screen are read once a second
			f.send(ctx, fleetChanged{})
		default:
			f.note(everything)
		}
	}
	for event, err := range f.client.Events(ctx, client.EventsQuery{Since: &since, Follow: true, Note: note}) {
		if err != nil {
			return err
		}
		if event.ID == provider.HostID {
			f.note(everything)
			continue
		}
		f.note(event.ID)
	}
	return provider.Errorf(provider.DaemonUnreachable, "", "the daemon ended the stream of events")
}

func (f *follower) note(id string) {
	f.changes.Lock()
	f.changes.ids[id] = true
	f.changes.Unlock()
	wake(f.changed)
}

// takeChanges returns the IDs noted so far, nil for all rows.
func (f *follower) takeChanges() []string {
	f.changes.Lock()
	defer f.changes.Unlock()
	ids := slices.Collect(maps.Keys(f.changes.ids))
	clear(f.changes.ids)
	if slices.Contains(ids, everything) {
		return nil
	}
	return ids
}

// read reads rows, nil meaning all, and sends them to the model. It returns the number of the
// last event in them.
func (f *follower) read(ctx context.Context, ids []string) (uint64, error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	whole := len(ids) == 0 || f.total <= fewRows || len(ids) > fewRows
	if whole {
		ids = nil
	}
	reply, err := f.client.Status(ctx, client.StatusQuery{IDs: ids})
	if e := (*provider.Error)(nil); !whole && errors.As(err, &e) && e.Code == provider.UnknownProvider {
		return f.read(ctx, nil) // a reload removed it
	}
	if err != nil {
		return 0, err
	}
	if whole {
		f.total = len(reply.Providers)
	}
	f.send(ctx, rowsCame{reply, whole})
	return reply.Seq, nil
}

// readPast reads the history from time to time, and the hours of the rows that the screen
// shows. It fails only if ctx ends. Without a history, there are no such columns.
func (f *follower) readPast(ctx context.Context) error {
	const atOnce = 8 // details, so that events do not wait for long
	if now := time.Now(); !now.Before(f.pastAt) {
		past, known := askPast(ctx, f.client)
		f.pastAt = now.Add(max(pastLeast, min(pastMost, known/pastGrowth)))
		if past == nil {
			f.pastAt = now.Add(pastMost)
		}
		f.detailed = map[string]bool{}
		f.hasPast = past != nil
		f.send(ctx, pastCame{past})
	}
	if !f.hasPast {
		return ctx.Err()
	}
	shown, _ := f.wanted()
	for read, i := 0, 0; i < len(shown) && read < atOnce; i++ {
		if id := shown[i]; !f.detailed[id] {
			f.detailed[id] = true
			f.send(ctx, hoursCame{id, askHours(ctx, f.client, id)})
			read++
		}
	}
	return ctx.Err()
}

// wake fills a channel that holds one signal.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause returns after d, or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
