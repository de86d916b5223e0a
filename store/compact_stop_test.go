//go:build unix

package store_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
)

// A compaction that hangs is reported like any other hang, and Close does not wait for it for
// long.
func TestCompaction_Hangs(t *testing.T) {
	for _, at := range []string{"chunk", "verify", "rename"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := newPath(t)
				bloat(t, path)
				answers := make(chan struct{})
				s, err := store.Open(path, store.WithSteps(store.Options{CompactFrom: small}, func(step string) error {
					if step == at {
						<-answers
					}
					return nil
				}))
				if err != nil {
					t.Fatal(err)
				}
				events := mustEvents(t, s, 0, 0)
				time.Sleep(6 * time.Second)
				if got := s.Stats(); got.Hanging != "compacting "+path || got.HangingFor < 5*time.Second {
					t.Errorf("%q hangs for %s", got.Hanging, got.HangingFor)
				}
				if len(mustEvents(t, s, 0, 0)) != len(events) {
					t.Error("readers do not see the same")
				}
				began := time.Now()
				if err := s.CloseWithin(3 * time.Second); err == nil || time.Since(began) > 3*time.Second {
					t.Errorf("close took %s: %v", time.Since(began), err)
				}
				close(answers)
				synctest.Wait()
				again := open(t, path, store.Options{CompactFrom: small})
				mustKeep(t, again, events, false)
				synctest.Wait()
				mustBeAlone(t, path)
			})
		})
	}
}

// Close aborts a compaction, and leaves nothing behind.
func TestCompaction_Close(t *testing.T) {
	for _, at := range slices.DeleteFunc(slices.Clone(compactionSteps), func(s string) bool { return s == "sync folder" }) {
		t.Run(at, func(t *testing.T) {
			path := newPath(t)
			bloat(t, path)
			reached := make(chan struct{})
			s := open(t, path, store.WithSteps(store.Options{CompactFrom: small}, func(step string) error {
				if step == at && !isClosed(reached) {
					close(reached)
				}
				return nil
			}))
			<-reached
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			mustBeAlone(t, path)
			mustBeSound(t, path)
		})
	}
}
