//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A witness is a client that notes what it sees: events, the newest event and the rows of each
// status, the numbers of refreshes, and what it paused.
type witness struct {
	mayLose bool // the daemon may lose something, if it says so
	pausing bool // it pauses and resumes providers too
	timing  bool // it checks the time in states

	mu         sync.Mutex
	t          *try
	events     map[uint64]provider.Event
	newest     uint64 // the number to resume from
	statusSeq  uint64
	rows       map[string]provider.Status
	generation uint64
	paused     map[string]bool // as confirmed by the daemon; absent while unknown
	news       chan struct{}   // signals news that has not been taken yet
}

func newWitness(t *try, mayLose bool) *witness {
	return &witness{
		t: t, mayLose: mayLose,
		events: map[uint64]provider.Event{}, rows: map[string]provider.Status{}, paused: map[string]bool{},
		news: make(chan struct{}, 1),
	}
}

func (w *witness) fault(f fault, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t.fault(f, format, args...)
}

// tell counts a report of the daemon that something is gone.
func (w *witness) tell(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t.told++; !w.mayLose {
		w.t.fault(lost, "the daemon says that it is gone: %s", what)
	}
}

// resume checks a restarted daemon against what was seen before.
func (w *witness) resume(d *daemon) error {
	from := max(w.newest, w.statusSeq)
	if from > 0 {
		next, gone := from, false
		err := d.events(fmt.Sprintf("?since=%d", from), func(h heard) {
			if h.gap {
				gone = true
			} else if next++; h.Seq != next && !gone {
				w.fault(lost, "event %d comes after %d", h.Seq, next-1)
			}
			next = max(next, h.Seq)
		})
		if errors.Is(err, errGone) || gone {
			w.tell(fmt.Sprintf("what followed event %d", from))
		} else if err != nil {
			return err
		}
	}
	var reply provider.StatusReply
	if _, err := d.get("/api/providers/status", &reply); err != nil {
		return err
	}
	if err := w.compareEvents(d, &reply); err != nil {
		return err
	}
	w.compareRows(&reply)
	if w.timing {
		if err := w.compareHistory(d); err != nil {
			return err
		}
	}
	for _, row := range reply.Providers {
		if paused, known := w.paused[row.ID]; known && row.Paused != paused {
			w.missing("%s was told to be paused %t, and is paused %t", row.ID, paused, row.Paused)
			delete(w.paused, row.ID)
		}
	}
	return w.refresh(d)
}

// compareRows checks each row against the last one that was seen: its state must not go back to
// an earlier one.
func (w *witness) compareRows(reply *provider.StatusReply) {
	back, first := 0, ""
	for _, row := range reply.Providers {
		if seen, known := w.rows[row.ID]; known && row.Since.Before(seen.Since.Time) {
			if back++; back == 1 {
				first = fmt.Sprintf("%s was %s since %v, and is %s since %v", row.ID, seen.State, seen.Since, row.State, row.Since)
			}
		}
		w.rows[row.ID] = row
	}
	if back > 0 {
		w.missing("%d rows went back: %s", back, first)
	}
}

// missing is a loss, unless something may be lost and the log says so.
func (w *witness) missing(format string, args ...any) {
	if w.mayLose {
		w.mu.Lock()
		w.t.told++
		w.mu.Unlock()
		return
	}
	w.fault(lost, format, args...)
}

// compareEvents checks all kept events against those that were seen, and the rows against the
// events.
func (w *witness) compareEvents(d *daemon, reply *provider.StatusReply) error {
	kept := map[uint64]bool{}
	states := map[string][]provider.State{} // possible states of a row: its event may follow a moment later
	var oldest, newest uint64
	gap := false
	err := d.events("", func(h heard) {
		if h.gap {
			gap = true
			return
		}
		if seen, ok := w.events[h.Seq]; ok && !reflect.DeepEqual(seen, h.Event) {
			w.fault(wrong, "event %d was %+v, and is %+v", h.Seq, seen, h.Event)
		}
		if newest > 0 && h.Seq != newest+1 && !gap {
			w.fault(lost, "event %d follows %d", h.Seq, newest)
		}
		if oldest == 0 {
			oldest = h.Seq
		}
		newest, kept[h.Seq] = h.Seq, true
		switch {
		case h.Seq <= reply.Seq:
			states[h.ID] = []provider.State{h.To}
		case states[h.ID] != nil:
			states[h.ID] = append(states[h.ID], h.To)
		}
	})
	if err != nil {
		return err
	}
	if !gap {
		for seq := range w.events {
			if seq >= oldest && seq <= newest && !kept[seq] {
				w.fault(lost, "event %d is missing", seq)
			}
		}
	}
	if !w.mayLose {
		for _, row := range reply.Providers {
			if may := states[row.ID]; may != nil && !slices.Contains(may, row.State) {
				w.fault(wrong, "%s is %s, and its last events say %s", row.ID, row.State, may)
			}
		}
	}
	w.newest, w.statusSeq = newest, max(reply.Seq, newest)
	return nil
}

// refresh asks for a refresh, whose number must be beyond all others.
func (w *witness) refresh(d *daemon) error {
	var reply provider.RefreshReply
	status, err := d.do("POST", "/api/providers/refresh", &reply)
	if err != nil || status != http.StatusAccepted {
		return errors.Join(err, fmt.Errorf("refresh: status %d", status))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if reply.Generation <= w.generation {
		w.t.fault(wrong, "a refresh has number %d after %d", reply.Generation, w.generation)
	}
	w.generation = reply.Generation
	return nil
}

// A watch is a witness at work.
type watch struct {
	first <-chan struct{} // closed once it sees an event
	stop  func()          // returns when it has stopped; the daemon must be gone, or the streams closed
}

// watch follows, reads, refreshes and pauses until the daemon is gone or stop is called.
func (w *witness) watch(d *daemon) watch {
	first, done := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	began := sync.OnceFunc(func() { close(first) })
	all.Go(func() { w.follow(d, began) })
	all.Go(func() {
		for again(done) && w.read(d) == nil {
		}
	})
	all.Go(func() {
		for again(done) && w.refresh(d) == nil {
		}
	})
	if w.pausing {
		all.Go(func() { w.pauseAndResume(d, done) })
	}
	return watch{first, sync.OnceFunc(func() {
		close(done)
		all.Wait()
	})}
}

// again waits a little, and reports false at the end of the run.
func again(done <-chan struct{}) bool {
	select {
	case <-done:
		return false
	case <-time.After(5 * time.Millisecond):
		return true
	}
}

// follow notes the events after the last that it saw.
func (w *witness) follow(d *daemon, saw func()) {
	query := "?follow=1"
	if w.newest > 0 {
		query += fmt.Sprintf("&since=%d", w.newest)
	}
	_ = d.events(query, func(h heard) { // until the daemon is gone
		w.mu.Lock()
		defer w.mu.Unlock()
		if h.gap {
			w.t.told++
			w.newest = 0
			return
		}
		if w.newest > 0 && h.Seq != w.newest+1 {
			w.t.fault(lost, "event %d follows %d in one stream", h.Seq, w.newest)
		}
		w.newest = h.Seq
		w.events[h.Seq] = h.Event
		saw()
		w.hasNews()
	})
}

// read notes the state of the rows. What a status shows counts as seen, like an event.
func (w *witness) read(d *daemon) error {
	var reply provider.StatusReply
	if status, err := d.get("/api/providers/status", &reply); err != nil || status != http.StatusOK {
		return errors.Join(err, fmt.Errorf("status %d", status))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if reply.Seq < w.statusSeq {
		w.t.fault(wrong, "a status says seq %d after %d", reply.Seq, w.statusSeq)
	}
	w.statusSeq = reply.Seq
	for _, row := range reply.Providers {
		if row.Since.After(w.rows[row.ID].Since.Time) {
			w.hasNews()
		}
		w.rows[row.ID] = row
	}
	return nil
}

// hasNews signals news.
func (w *witness) hasNews() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// waitForNews waits, for a limited time, until something new is seen.
func (w *witness) waitForNews(b *bench, limit time.Duration) {
	select {
	case <-w.news: // old news
	default:
	}
	select {
	case <-w.news:
	case <-time.After(limit):
	case <-b.ctx.Done():
	}
}

// pauseAndResume pauses and resumes two providers in turn.
func (w *witness) pauseAndResume(d *daemon, done <-chan struct{}) {
	for i := 0; again(done); i++ {
		id, paused := fmt.Sprintf("p%d", i%2), i%4 < 2
		w.mu.Lock()
		delete(w.paused, id)
		w.mu.Unlock()
		verb := "resume"
		if paused {
			verb = "pause"
		}
		status, err := d.do("POST", "/api/providers/"+id+"/"+verb, nil)
		if err != nil {
			return
		}
		if status == http.StatusOK {
			w.mu.Lock()
			w.paused[id] = paused
			w.mu.Unlock()
		}
	}
}
