package etcd

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/fleet/bus"
)

// load reads all keys as of one revision, page by page.
func (s *session) load(ctx context.Context, rounds int) (bus.Batch, error) {
	var all bus.Batch
	err := s.bus.try(ctx, rounds, func(ctx context.Context, c *conn) (err error) {
		for range 5 {
			all, err = s.pages(ctx, c)
			if !isCompacted(err) {
				break
			}
		}
		return err
	})
	return all, err
}

func (s *session) pages(ctx context.Context, c *conn) (bus.Batch, error) {
	all := bus.Batch{All: true}
	next := rangeRequest{key: s.bus.Prefix, end: after(s.bus.Prefix), limit: maxPage}
	size := 0
	for {
		var page rangeResponse
		err := s.bus.call(ctx, c, "KV/Range", &next, &page)
		if isTooLarge(err) && next.limit > 1 {
			next.limit /= 4
			continue
		}
		if isTooLarge(err) {
			return bus.Batch{}, &Error{Problem: TooMuch, Err: err}
		}
		if err != nil {
			return bus.Batch{}, err
		}
		if err := s.heard(page.header); err != nil {
			return bus.Batch{}, err
		}
		if next.revision == 0 {
			next.revision = page.header.revision
			all.Revision = next.revision
		}
		for i := range page.kvs {
			kv := &page.kvs[i]
			if kv.key < next.key || kv.key >= next.end {
				return bus.Batch{}, &Error{Problem: NotEtcd}
			}
			next.key = kv.key + "\x00"
			if size += len(kv.key) + len(kv.value) + 64; size > maxKeys {
				return bus.Batch{}, &Error{Problem: TooMuch}
			}
			all.Changes = s.with(all.Changes, kv, false)
		}
		if !page.more || len(page.kvs) == 0 {
			return all, nil
		}
	}
}

// with appends a key's change.
func (s *session) with(changes []bus.Change, kv *keyValue, deleted bool) []bus.Change {
	key, ours := strings.CutPrefix(kv.key, s.bus.Prefix)
	if !ours || len(kv.key) > maxKey {
		return changes
	}
	c := bus.Change{Key: key, Value: kv.value, Created: kv.created, Written: kv.modified, Lease: kv.lease}
	if deleted {
		c.Value = nil
	}
	return append(changes, c)
}

// after is the end of the range of keys that begin with a prefix.
func after(prefix string) string {
	return prefix[:len(prefix)-1] + string(prefix[len(prefix)-1]+1)
}

var (
	errCompacted = errors.New("revision compacted")
	errLag       = errors.New("the reader lags")
	errAgain     = errors.New("the reader asks for it")
)

// follow hands all keys to the reader and then what changes. It ends with the session, and
// ends it if it cannot continue.
func (s *session) follow(all bus.Batch) {
	defer close(s.batches)
	for {
		select {
		case s.batches <- all:
		case <-s.ctx.Done():
			return
		}
		last := all.Revision
		err := s.watchFrom(&last)
		if !errors.Is(err, errCompacted) && !errors.Is(err, errLag) && !errors.Is(err, errAgain) {
			s.over(err)
			return
		}
		s.bus.Log.Debug("all keys of the fleet are read again", "because", err)
		ctx, cancel := context.WithTimeout(s.ctx, s.bus.Unanswered)
		all, err = s.load(ctx, 0)
		cancel()
		if err != nil {
			s.over(err)
			return
		}
		s.discard()
	}
}

// discard drops the batches that all keys replace.
func (s *session) discard() {
	for {
		select {
		case <-s.batches:
		default:
			return
		}
	}
}

// watchFrom watches what follows the last revision that was handed out, over another
// connection if that one fails. It ends when no watch could be had for Unanswered.
func (s *session) watchFrom(last *int64) error {
	for {
		var w *watch
		ctx, cancel := context.WithTimeout(s.ctx, s.bus.Unanswered)
		err := s.bus.try(ctx, 0, func(ctx context.Context, c *conn) (err error) {
			w, err = s.startWatch(ctx, c, *last)
			return err
		})
		cancel()
		if err != nil {
			return err
		}
		s.watching.Store(w)
		if !s.again.Load() {
			err = w.run(last)
		}
		w.end()
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		if s.again.Swap(false) {
			return errAgain
		}
		err = classify(err, w.conn.endpoint.name, w.conn)
		if errors.Is(err, errCompacted) || errors.Is(err, errLag) || isDefinite(err) {
			return err
		}
		s.bus.drop(w.conn, err)
		if err := s.verify(); err != nil {
			return err
		}
	}
}

// A watch is a stream of changes.
type watch struct {
	*stream
	s       *session
	pending []bus.Change // of the revision that may not be complete yet
	size    int
}

// startWatch creates a watch, which is a message each way.
func (s *session) startWatch(ctx context.Context, c *conn, last int64) (*watch, error) {
	ctx, cancel := context.WithTimeout(ctx, s.bus.Unanswered/2)
	defer cancel()
	st, err := open(s.ctx, ctx, c, "Watch/Watch")
	if err != nil {
		return nil, err
	}
	w := &watch{stream: st, s: s}
	var first watchResponse
	err = st.SendMsg(&watchRequest{s.bus.Prefix, after(s.bus.Prefix), last + 1})
	if received := st.receive(ctx, &first); received != nil {
		err = received // says more than that the stream ended
	}
	if err == nil {
		err = w.check(&first)
	}
	if err == nil && !first.created {
		err = &Error{Problem: NotEtcd}
	}
	if err != nil {
		st.end()
		return nil, err
	}
	return w, nil
}

func (w *watch) check(r *watchResponse) error {
	switch {
	case r.compacted != 0:
		return errCompacted
	case r.canceled && strings.Contains(r.reason, "permission denied"):
		return &Error{Problem: NoPermission, Endpoint: w.conn.endpoint.name, Err: errors.New(clean(r.reason))}
	case r.canceled:
		return &Error{Problem: Failed, Endpoint: w.conn.endpoint.name, Err: errors.New("watch canceled: " + clean(r.reason))}
	}
	return w.s.heard(r.header)
}

// run hands out what changes, until the stream ends.
func (w *watch) run(last *int64) error {
	for {
		var r watchResponse
		if err := w.RecvMsg(&r); err != nil {
			return err
		}
		if err := w.check(&r); err != nil {
			return err
		}
		if err := w.take(&r, last); err != nil {
			return err
		}
	}
}

// take hands out the changes of complete revisions. A fragment may end within one.
func (w *watch) take(r *watchResponse, last *int64) error {
	for i := range r.events {
		e := &r.events[i]
		if e.modified <= *last {
			continue // seen before
		}
		if n := len(w.pending); n > 0 && e.modified > w.pending[n-1].Written && w.size >= batchSize {
			if err := w.hand(last); err != nil {
				return err
			}
		}
		w.pending = w.s.with(w.pending, &e.keyValue, e.deleted)
		if w.size += len(e.key) + len(e.value) + 64; w.size > maxKeys {
			return &Error{Problem: TooMuch}
		}
	}
	if !r.fragment && len(w.pending) > 0 {
		if err := w.hand(last); err != nil {
			return err
		}
	}
	if !r.fragment && len(r.events) == 0 && r.header.revision > *last {
		*last = r.header.revision // progress: all changes up to there were sent
	}
	return nil
}

// hand gives what is pending to the reader.
func (w *watch) hand(last *int64) error {
	revision := w.pending[len(w.pending)-1].Written
	batch := bus.Batch{Revision: revision, Changes: w.pending}
	w.pending, w.size = nil, 0
	select {
	case w.s.batches <- batch:
		*last = revision
		return nil
	default:
	}
	t := time.NewTimer(w.s.bus.Lag)
	defer t.Stop()
	select {
	case w.s.batches <- batch:
		*last = revision
		return nil
	case <-t.C:
		return errLag
	case <-w.s.ctx.Done():
		return context.Cause(w.s.ctx)
	}
}
