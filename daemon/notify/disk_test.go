package notify

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A disk is a store whose disk a test controls.
type disk struct {
	*store.Store
	mu     sync.Mutex
	save   error // every save fails with it
	read   error // every read of events fails with it
	frozen bool  // saves hang until their context ends
	saves  int
	steps  int // of the engine
}

func (d *disk) NextEvents() <-chan struct{} {
	d.set(func(d *disk) { d.steps++ })
	return d.Store.NextEvents()
}

func (d *disk) SaveNotes(ctx context.Context, values map[string][]byte) error {
	d.mu.Lock()
	d.saves++
	frozen, err := d.frozen, d.save
	d.mu.Unlock()
	if frozen {
		<-ctx.Done()
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return d.Store.SaveNotes(ctx, values)
}

func (d *disk) Events(since uint64, limit int) ([]provider.Event, error) {
	d.mu.Lock()
	err := d.read
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.Store.Events(since, limit)
}

func (d *disk) set(change func(d *disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

// work is how often the engine saved, and made a step, since the counts were reset.
func (d *disk) work() (saves, steps int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.saves, d.steps
}

func play(t *testing.T, ids []string, play func(t *testing.T, h *house, r *receiver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		play(t, open(t, filepath.Join(t.TempDir(), "providerd.db"), ids...), &receiver{})
	})
}

func (h *house) down(id string) { h.become(id, provider.StateStopped, provider.ConnectionRefused) }
func (h *house) up(id string)   { h.become(id, provider.StateRunning, provider.OK) }

// While the disk hangs, what is saved is delivered, and nobody who asks waits for it. The rest
// is delivered when it answers again.
func TestEngine_DiskHangs(t *testing.T) {
	play(t, []string{"a", "b", "c"}, func(t *testing.T, h *house, r *receiver) {
		r.meet(func(*provider.Notice) error { return errors.New("500") })
		h.run(outletTo("phone", r))
		h.down("a")
		time.Sleep(10 * time.Second)
		h.disk.set(func(d *disk) { d.frozen = true })
		h.down("b")
		time.Sleep(20 * time.Second)
		r.meet(nil)
		began := time.Now()
		if l := h.engine.List().Sinks[0]; l.Waiting != 2 {
			t.Errorf("waiting: %+v", l)
		}
		h.engine.Apply([]Outlet{outletTo("phone", r)})
		h.engine.InMaintenance("a")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("callers waited %s for the disk", waited)
		}
		time.Sleep(time.Minute)
		tries := len(r.lines())
		if last := r.lines()[tries-1]; last != "opened a connection_refused" {
			t.Errorf("what was saved is not delivered: %q", r.lines())
		}
		h.disk.set(func(d *disk) { d.frozen = false })
		time.Sleep(time.Minute)
		if got := r.lines()[tries:]; !slices.Equal(got, []string{"opened b connection_refused"}) {
			t.Errorf("then got %q", got)
		}
		h.disk.set(func(d *disk) { d.frozen = true })
		h.down("c")
		time.Sleep(10 * time.Second)
		began = time.Now()
		h.close()
		if waited := time.Since(began); waited > 2*time.Second {
			t.Errorf("the end took %s", waited)
		}
	})
}

// Nothing is sent that is not saved: after a crash it could get another id.
func TestEngine_DiskFull(t *testing.T) {
	play(t, []string{"a"}, func(t *testing.T, h *house, r *receiver) {
		h.run(outletTo("phone", r))
		time.Sleep(time.Second)
		h.disk.set(func(d *disk) { d.save, d.saves = errors.New("no space left on device"), 0 })
		h.down("a")
		time.Sleep(time.Hour)
		r.want(t)
		if saves, _ := h.disk.work(); saves < 3000 || saves > 4000 {
			t.Errorf("%d saves in an hour", saves)
		}
		h.disk.set(func(d *disk) { d.save = nil })
		time.Sleep(2 * time.Second)
		r.want(t, "opened a connection_refused")
		h.close()
	})
}

// Events that cannot be read are read later, though no event comes after them.
func TestEngine_ReadFails(t *testing.T) {
	play(t, []string{"a"}, func(t *testing.T, h *house, r *receiver) {
		h.run(outletTo("phone", r))
		time.Sleep(time.Second)
		h.disk.set(func(d *disk) { d.read = errors.New("input/output error") })
		h.down("a")
		time.Sleep(time.Minute)
		r.want(t)
		h.disk.set(func(d *disk) { d.read = nil })
		time.Sleep(10 * time.Second)
		r.want(t, "opened a connection_refused")
		h.close()
	})
}

// A sink whose book is gone with the database is told once what holds; one that is new is not.
func TestEngine_BookLost(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  []string
	}{
		{"nothing is damaged", func(*testing.T, string) {}, nil},
		{"the database is deleted", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, []string{"digest  "}},
		{"the database is overwritten", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("no database"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"digest  "}},
		{"the book is damaged", func(t *testing.T, path string) {
			s, err := store.Open(path, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SaveNotes(t.Context(), map[string][]byte{"sink/phone": []byte("{")}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}, []string{"digest  "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, []string{"a", "b"}, func(t *testing.T, h *house, r *receiver) {
				h.run(outletTo("phone", &receiver{}))
				h.down("a")
				h.up("b")
				time.Sleep(time.Minute)
				h.close()
				tt.spoil(t, h.path)
				h = open(t, h.path, "a", "b")
				var told atomic.Pointer[provider.Notice]
				r.meet(func(n *provider.Notice) error { told.Store(n); return nil })
				h.run(outletTo("phone", r))
				time.Sleep(time.Minute)
				r.want(t)
				h.become("b", provider.StateError, provider.Unauthorized)
				time.Sleep(2 * time.Second)
				h.engine.Swept()
				time.Sleep(time.Second)
				if len(tt.want) > 0 {
					r.want(t, tt.want...)
					if last := told.Load(); !slices.Contains(last.Opened, "b") || last.Detail == "" {
						t.Errorf("told %+v", last)
					}
				}
				time.Sleep(time.Minute)
				before := len(r.lines())
				h.up("b")
				time.Sleep(time.Minute)
				if got := r.lines()[before:]; !slices.Equal(got, []string{"closed b ok"}) {
					t.Errorf("then got %q", got)
				}
				h.close()
			})
		})
	}
}

// What a backup does not know is found out after the first sweep, also if the daemon is killed
// before that.
func TestEngine_KilledBeforeTheSweep(t *testing.T) {
	play(t, []string{"a", "b"}, func(t *testing.T, h *house, r *receiver) {
		h.run(outletTo("phone", r))
		h.down("a")
		time.Sleep(time.Minute)
		backup, err := h.store.Backup()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "providerd.db")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(f, backup); err != nil {
			t.Fatal(err)
		}
		f.Close()
		backup.Close()
		h.close()
		r.want(t, "opened a connection_refused")
		for range 2 {
			h = open(t, path, "a", "b")
			h.run(outletTo("phone", r))
			time.Sleep(time.Minute)
			h.close()
		}
		r.want(t, "opened a connection_refused", "closed a not_checked")
		h = open(t, path, "a", "b")
		h.run(outletTo("phone", r))
		if !h.engine.Unsettled() {
			t.Error("nothing is unknown")
		}
		h.engine.Swept()
		time.Sleep(time.Minute)
		r.want(t, "opened a connection_refused", "closed a not_checked", "opened a connection_refused")
		h.close()
	})
}

// If events are lost, people are told what holds instead, and how many
// they are.
func TestEngine_EventsGone(t *testing.T) {
	play(t, []string{"a", "b", "c"}, func(t *testing.T, h *house, r *receiver) {
		h.run(outletTo("phone", r))
		h.down("a")
		time.Sleep(time.Minute)
		h.close()
		h = openWith(t, h.path, store.Options{KeepEvents: 10}, "a", "b", "c")
		h.up("a")
		h.down("b")
		for range 20 {
			h.become("c", provider.StateStopped, provider.ConnectTimeout)
			time.Sleep(2 * time.Second)
			h.up("c")
			time.Sleep(2 * time.Second)
		}
		var lost atomic.Uint64
		r.meet(func(n *provider.Notice) error { lost.Add(n.Lost); return nil })
		h.run(outletTo("phone", r))
		time.Sleep(time.Minute)
		r.want(t, "opened a connection_refused", "closed a ok", "opened b connection_refused")
		if n := lost.Load(); n != 42 {
			t.Errorf("%d events are said to be gone", n)
		}
		h.close()
	})
}
