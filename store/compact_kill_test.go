//go:build linux || darwin

package store_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

const (
	killedAt = "STORE_TEST_KILLED_AT"
	killedIn = "STORE_TEST_KILLED_IN"
)

// A kill at any step of a compaction loses nothing that was seen: no number changes its
// meaning, and the next start removes what is left behind.
func TestCompaction_Killed(t *testing.T) {
	if at := os.Getenv(killedAt); at != "" {
		compactAndDie(t, os.Getenv(killedIn), at)
		return
	}
	// All are killed before a file is opened again: a process that is being started holds the
	// locks of all files that are open here, and a wait for them takes no time in a bubble.
	type victim struct{ path, out string }
	steps, victims := append(compactionSteps, "chunk 2", "end"), map[string]*victim{}
	var ended sync.WaitGroup
	for _, at := range steps {
		v := &victim{path: newPath(t)}
		victims[at] = v
		bloat(t, v.path)
		ended.Go(func() {
			child := exec.Command(os.Args[0], "-test.run=^TestCompaction_Killed$")
			child.Env = append(os.Environ(), killedAt+"="+at, killedIn+"="+v.path)
			out, _ := child.CombinedOutput()
			v.out = string(out)
		})
	}
	ended.Wait()
	for _, at := range steps {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			path, out := victims[at].path, victims[at].out
			var seq, generation uint64
			if n, err := fmt.Sscanf(out, "seen %d %d", &seq, &generation); n != 2 {
				t.Fatalf("%v: %s", err, out)
			}
			left, _ := filepath.Glob(path + ".compact")
			if made := len(left) > 0; made != (at != "sync folder" && at != "end") {
				t.Errorf("left by the kill: %v", left)
			}
			now := time.Now()
			o, log := withLog(store.Options{CompactFrom: 1 << 40, First: 1, Now: func() time.Time { return now }})
			synctest.Test(t, func(t *testing.T) {
				s := open(t, path, o)
				if _, err := os.Lstat(path + ".compact"); err == nil {
					t.Error("what is left was not removed")
				}
				if got := s.View().Seq(); got != seq || s.NextGeneration() <= generation {
					t.Errorf("the newest event is %d, and was %d; generation %d after %d", got, seq, s.Generation(), generation)
				}
				for i, e := range mustEvents(t, s, 0, 0) {
					if want := fmt.Sprint(i+1, "x"); e.Seq != uint64(i+1) || i < 20 && !strings.HasPrefix(e.Detail, want) {
						t.Fatalf("event %d is %.20s, want %s", e.Seq, e.Detail, want)
					}
				}
				if row := s.Restored()["b"]; row.Detail != "meanwhile" || !row.Paused {
					t.Errorf("b is %.40s, paused %t", row.Detail, row.Paused)
				}
				if strings.Contains(log.String(), "[WARN]") {
					t.Error(log)
				}
				o.CompactFrom = small
				reopen(t, s, path, o)
				synctest.Wait()
				mustBeAlone(t, path)
				if size := mustSize(t, path); size > small+small/2 {
					t.Errorf("it is not compacted: %d bytes", size)
				}
			})
		})
	}
}

// compactAndDie changes a row during a compaction, says what was seen, and kills the process.
func compactAndDie(t *testing.T, path, at string) {
	var s *store.Store // as known to the steps
	opened, changed := make(chan struct{}), make(chan struct{})
	chunks := 0
	o := store.WithSteps(store.Options{CompactFrom: small, First: 1}, func(step string) error {
		if <-opened; step == "chunk" {
			if chunks++; chunks == 2 {
				step = "chunk 2"
			}
		}
		if step == "chunk" && chunks == 1 {
			next := s.NextEvents()
			paused := change("b", provider.StateError, "meanwhile")
			paused.Status.Paused = true
			s.Put(paused)
			<-next
			fmt.Printf("seen %d %d\n", s.View().Seq(), s.NextGeneration())
			close(changed)
		}
		if step == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	})
	var err error
	if s, err = store.Open(path, o); err != nil {
		t.Fatal(err)
	}
	s.Configure([]string{"a", "b"}, nil)
	close(opened)
	<-changed
	for s.Stats().Compacted == 0 { // it is killed before, except at the end
		time.Sleep(time.Millisecond)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// A kill just after a compaction loses no time of the history, as at any other moment.
func TestCompaction_KilledAndTheTimeBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, goOn := newPath(t), make(chan struct{})
		bloat(t, path)
		o := store.Options{CompactFrom: small, Twin: filepath.Join(t.TempDir(), "s.mark")}
		s := open(t, path, store.WithSteps(o, func(string) error { <-goOn; return nil }))
		s.Configure([]string{"a"}, nil)
		beginWatch(s)
		put(s, "a", provider.StateRunning)
		watch(s, 50*time.Minute)
		close(goOn)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if s.Stats().Compacted != 1 {
			t.Fatalf("it was not compacted: %+v", s.Stats())
		}
		left := map[string][]byte{} // by a kill
		for _, name := range []string{path, path + ".owner", o.Twin} {
			left[name] = read(t, name)
		}
		s.Close()
		for name, data := range left {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		s = open(t, path, o)
		sum := total(hours(t, s, "a"))
		if d := 50*time.Minute - sum.In(provider.StateRunning); d < 0 || d > 10*time.Second {
			t.Errorf("a kill lost %s", d)
		}
	})
}
