package notify

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/notify/book"
	"github.com/providerd/providerd/daemon/notify/sink"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A receiver is a sink that a test controls.
type receiver struct {
	mu   sync.Mutex
	got  []string
	ids  []string
	fate func(n *provider.Notice) error // nil: accepts all
	hang bool                           // until its context ends
}

func (r *receiver) Deliver(ctx context.Context, n *provider.Notice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, fmt.Sprintf("%s %s %s", n.Type, n.Provider, n.Reason))
	r.ids = append(r.ids, n.ID)
	if r.hang {
		r.mu.Unlock()
		<-ctx.Done()
		r.mu.Lock()
		return ctx.Err()
	}
	if r.fate != nil {
		return r.fate(n)
	}
	return nil
}

func (r *receiver) meet(fate func(n *provider.Notice) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fate = fate
}

func (r *receiver) want(t *testing.T, lines ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.got, lines) {
		t.Errorf("got %q, want %q", r.got, lines)
	}
}

// lines are what has arrived.
func (r *receiver) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// messages are the ids of what has arrived.
func (r *receiver) messages() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ids)
}

// A house is an engine with a store and some providers.
type house struct {
	t      *testing.T
	path   string
	store  *store.Store
	disk   *disk
	engine *Engine
	stop   context.CancelFunc
	done   chan struct{}
}

func open(t *testing.T, path string, ids ...string) *house {
	return openWith(t, path, store.Options{}, ids...)
}

func openWith(t *testing.T, path string, o store.Options, ids ...string) *house {
	s, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	updates := map[string]store.Update{}
	restored := s.Restored()
	for _, id := range ids {
		st, ok := restored[id]
		if !ok {
			st = provider.Status{ID: id, Kind: "ollama", Type: provider.Local, State: provider.StateRunning, Reason: provider.OK}
		}
		updates[id] = store.Update{Status: st}
	}
	s.Configure(ids, updates)
	h := &house{t: t, path: path, store: s, disk: &disk{Store: s}, done: make(chan struct{})}
	h.engine = New(Options{Log: hclog.NewNullLogger(), Store: h.disk, Random: func() float64 { return 0.5 }})
	return h
}

func (h *house) run(outlets ...Outlet) {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.engine.Apply(outlets)
	go func() { defer close(h.done); h.engine.Run(ctx) }()
}

func (h *house) close() {
	h.stop()
	<-h.done
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *house) become(id string, state provider.State, reason provider.Reason) {
	st := h.store.View().Row(id).Status
	e := &provider.Event{Time: provider.Time{Time: time.Now()}, ID: id, From: st.State, To: state, Reason: reason}
	st.State, st.Reason = state, reason
	h.store.Put(store.Update{Status: st, Event: e})
}

func outletTo(id string, s sink.Sink) Outlet {
	return Outlet{Kind: "webhook", Sink: s, Settings: book.Settings{
		Sink: id, Host: "box", Gather: 5 * time.Second, Most: 20,
		On: []provider.Topic{provider.TopicUnusable, provider.TopicUsable, provider.TopicAttention, provider.TopicHost},
	}}
}

func TestEngine(t *testing.T) {
	down := func(h *house, id string) { h.become(id, provider.StateStopped, provider.ConnectionRefused) }
	up := func(h *house, id string) { h.become(id, provider.StateRunning, provider.OK) }
	tests := []struct {
		name string
		play func(t *testing.T, h *house, r *receiver)
	}{
		{"down and up", func(t *testing.T, h *house, r *receiver) {
			h.run(outletTo("phone", r))
			down(h, "a")
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused")
			up(h, "a")
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused", "closed a ok")
			h.close()
		}},
		{"a restart between", func(t *testing.T, h *house, r *receiver) {
			h.run(outletTo("phone", r))
			down(h, "a")
			time.Sleep(time.Minute)
			h.close()
			h = open(t, h.path, "a", "b")
			h.run(outletTo("phone", r))
			up(h, "a")
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused", "closed a ok")
			h.close()
		}},
		{"it went down while nobody ran the engine", func(t *testing.T, h *house, r *receiver) {
			h.run(outletTo("phone", r))
			time.Sleep(time.Second)
			h.close()
			h = open(t, h.path, "a", "b")
			down(h, "a")
			time.Sleep(time.Hour)
			h.run(outletTo("phone", r))
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused")
			h.close()
		}},
		{"not accepted before a restart", func(t *testing.T, h *house, r *receiver) {
			r.meet(func(*provider.Notice) error { return errors.New("500") })
			h.run(outletTo("phone", r))
			down(h, "a")
			time.Sleep(7 * time.Second)
			h.close()
			r.meet(nil)
			h = open(t, h.path, "a", "b")
			h.run(outletTo("phone", r))
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused", "opened a connection_refused")
			if ids := r.messages(); ids[0] != ids[1] {
				t.Errorf("one message has two ids: %v", ids)
			}
			h.close()
		}},
		{"a hung sink delays no other", func(t *testing.T, h *house, r *receiver) {
			hung := &receiver{hang: true}
			h.run(outletTo("hung", hung), outletTo("phone", r))
			down(h, "a")
			time.Sleep(6 * time.Second)
			r.want(t, "opened a connection_refused")
			h.close() // it does not wait for the hung one either
		}},
		{"refused, and revived", func(t *testing.T, h *house, r *receiver) {
			r.meet(func(*provider.Notice) error { return &sink.RefusedError{Why: "404"} })
			h.run(outletTo("phone", r))
			down(h, "a")
			time.Sleep(time.Hour)
			if l := h.engine.List().Sinks[0]; l.Dead != 1 || l.Waiting != 0 || l.LastError != "404" || len(r.lines()) != 1 {
				t.Errorf("got %+v after %q", l, r.lines())
			}
			r.meet(nil)
			if n, err := h.engine.Retry("phone", nil); n != 1 || err != nil {
				t.Errorf("Retry: %d, %v", n, err)
			}
			time.Sleep(time.Minute)
			up(h, "a")
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused", "opened a connection_refused", "closed a ok")
			h.close()
		}},
		{"the receiver names a time", func(t *testing.T, h *house, r *receiver) {
			at := time.Now().Add(30 * time.Minute)
			r.meet(func(*provider.Notice) error { return &sink.LaterError{At: at, Why: "429"} })
			h.run(outletTo("phone", r))
			down(h, "a")
			time.Sleep(29 * time.Minute)
			r.want(t, "opened a connection_refused")
			r.meet(nil)
			time.Sleep(2 * time.Minute)
			r.want(t, "opened a connection_refused", "opened a connection_refused")
			h.close()
		}},
		{"a removed sink is forgotten", func(t *testing.T, h *house, r *receiver) {
			h.run(outletTo("phone", r))
			down(h, "a")
			time.Sleep(time.Minute)
			h.engine.Apply(nil)
			time.Sleep(time.Minute)
			if notes := h.store.Notes(); len(notes) != 0 {
				t.Errorf("left: %v", notes)
			}
			h.engine.Apply([]Outlet{outletTo("phone", r)})
			up(h, "a")
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused")
			h.close()
		}},
		{"maintenance", func(t *testing.T, h *house, r *receiver) {
			h.run(outletTo("phone", r))
			if err := h.engine.Maintain(t.Context(), []string{"a"}, time.Now().Add(time.Hour), "uid 0"); err != nil {
				t.Fatal(err)
			}
			down(h, "a")
			time.Sleep(time.Minute)
			h.close()
			h = open(t, h.path, "a", "b")
			h.run(outletTo("phone", r))
			time.Sleep(time.Minute)
			r.want(t)
			if ended, err := h.engine.EndMaintenance(t.Context(), []string{"a", "b"}); err != nil || !slices.Equal(ended, []string{"a"}) {
				t.Errorf("ended %v, %v", ended, err)
			}
			time.Sleep(time.Minute)
			r.want(t, "opened a connection_refused")
			h.close()
		}},
		{"a test message", func(t *testing.T, h *house, r *receiver) {
			h.run(outletTo("phone", r))
			if err := h.engine.Test(t.Context(), "phone"); err != nil {
				t.Error(err)
			}
			r.meet(func(*provider.Notice) error { return errors.New("no route") })
			var known *provider.Error
			if err := h.engine.Test(t.Context(), "phone"); !errors.As(err, &known) || known.Code != provider.Undelivered {
				t.Errorf("got %v", err)
			}
			if err := h.engine.Test(t.Context(), "phome"); !errors.As(err, &known) || known.Code != provider.UnknownSink {
				t.Errorf("got %v", err)
			}
			h.close()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.play(t, open(t, filepath.Join(t.TempDir(), "providerd.db"), "a", "b"), &receiver{})
			})
		})
	}
}

// A thousand providers that fail at once are two messages.
func TestEngine_Storm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprint("p", i))
		}
		h, r := open(t, filepath.Join(t.TempDir(), "providerd.db"), ids...), &receiver{}
		h.run(outletTo("phone", r))
		for i, id := range ids {
			h.become(id, provider.StateStopped, provider.ConnectionRefused)
			if i%20 == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Hour)
		r.want(t, "digest  ", "digest  ")
		h.close()
	})
}
