package store_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// hinter is implemented by every error of Open.
type hinter interface {
	error
	Hint() string
}

func mustRefuse[E hinter](t *testing.T, path string, says ...string) E {
	t.Helper()
	s, err := store.Open(path, store.Options{})
	if err == nil {
		s.Close()
		t.Fatal("it opened")
	}
	var refused E
	if !errors.As(err, &refused) {
		t.Fatalf("got %T: %v", err, err)
	}
	text := refused.Error() + "\n" + refused.Hint()
	for _, part := range append(says, path) {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	if refused.Hint() == "" {
		t.Errorf("%q says nothing of what to do", text)
	}
	return refused
}

func TestOpen_First(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "providerd", "providerd.db")
	s := open(t, path, store.Options{})
	if v := s.View(); v.Len() != 0 || v.Seq() != 0 || len(s.Restored()) != 0 {
		t.Errorf("a new database has %d rows, seq %d", v.Len(), v.Seq())
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): fs.ModeDir | 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
}

func TestOpen_CleansUpAfterAKilledCreation(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path+".new", []byte("half a data"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, path, store.Options{})
	if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the remains are still there: %v", err)
	}
}

func TestOpen_Refuses(t *testing.T) {
	t.Run("Folder", func(t *testing.T) {
		path := newPath(t)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		mustRefuse[*store.OpenError](t, path, "not a plain file", "--state-dir")
	})
	t.Run("SymbolicLink", func(t *testing.T) {
		path := newPath(t)
		if err := os.Symlink(newPath(t), path); err != nil {
			t.Skip(err)
		}
		mustRefuse[*store.OpenError](t, path, "symbolic link")
	})
	t.Run("PathUnderAFile", func(t *testing.T) {
		file := newPath(t)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		mustRefuse[*store.OpenError](t, filepath.Join(file, "providerd.db"), "create the folder", "not a folder")
	})
	t.Run("UnwritableFolder", func(t *testing.T) {
		if os.Geteuid() <= 0 {
			t.Skip("root may write anywhere, and Windows has no modes")
		}
		path := newPath(t)
		if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
			t.Fatal(err)
		}
		mustRefuse[*store.OpenError](t, path, "permission denied", "right to write")
	})
	t.Run("NewerSchemaAndTouchesNothing", func(t *testing.T) {
		path := newPath(t)
		withEvents(t, path, store.Options{}, 3).Close()
		edit(t, path, func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("7")) })
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		future := mustRefuse[*store.FutureError](t, path, "version 7", "newer")
		if future.Found != 7 || future.Known != 3 {
			t.Errorf("found %d, known %d", future.Found, future.Known)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("the file was changed (%v)", err)
		}
	})
}

func TestOpen_Held(t *testing.T) {
	t.Run("ByAnotherStore", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			owner := store.Owner{PID: 4242, Socket: "/run/x/providerd.sock"}
			open(t, path, store.Options{Owner: owner})
			began := time.Now()
			held := mustRefuse[*store.HeldError](t, path, "4242", "/run/x/providerd.sock", "already running")
			if held.Owner != owner {
				t.Errorf("owner %+v", held.Owner)
			}
			if took := time.Since(began); took > 1100*time.Millisecond {
				t.Errorf("it took %v to say so", took)
			}
		})
	})
	t.Run("UntilTheOtherCloses", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			s := configured(t, path, store.Options{}, "a")
			time.AfterFunc(500*time.Millisecond, func() { s.Close() })
			if open(t, path, store.Options{}).Restored()["a"].ID != "a" {
				t.Error("what the other saved is not there")
			}
		})
	})
	t.Run("ByAToolAndTheOwnerOfOldIsNotNamed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			open(t, path, store.Options{}).Close()
			if err := os.WriteFile(path+".owner", []byte(`{"pid":4242}`), 0o600); err != nil { // it was killed
				t.Fatal(err)
			}
			db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if held := mustRefuse[*store.HeldError](t, path); held.Owner.PID != 0 {
				t.Errorf("it names pid %d, which is dead", held.Owner.PID)
			}
		})
	})
	t.Run("ByAnotherProcessAndReleasedWhenThatIsKilled", func(t *testing.T) {
		path := newPath(t)
		holder := exec.Command(os.Args[0], "-test.run=^TestHoldDatabase$")
		holder.Env = append(os.Environ(), "HOLD_DATABASE="+path)
		out, err := holder.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := holder.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			if held := mustRefuse[*store.HeldError](t, path); held.Owner.PID != holder.Process.Pid {
				t.Errorf("it names pid %d, want %d", held.Owner.PID, holder.Process.Pid)
			}
		})
		_ = holder.Process.Kill()
		_ = holder.Wait()
		s := open(t, path, store.Options{})
		if s.Restored()["held"].State != provider.StateRunning {
			t.Error("what the killed process had shown is lost")
		}
	})
}

// TestHoldDatabase is the other process: it shows a change, says so, and waits to be killed.
func TestHoldDatabase(t *testing.T) {
	path := os.Getenv("HOLD_DATABASE")
	if path == "" {
		t.Skip("run by TestOpen_Held")
	}
	s, err := store.Open(path, store.Options{Owner: store.Owner{PID: os.Getpid()}})
	if err != nil {
		t.Fatal(err)
	}
	s.Configure([]string{"held"}, nil)
	changed := s.NextEvents()
	s.Put(change("held", provider.StateRunning, ""))
	<-changed
	os.Stdout.WriteString("!")
	select {}
}

func TestOpen_TwoAtOnce(t *testing.T) {
	// On an empty folder, and on a damaged file that both would set aside.
	for name, data := range map[string]string{"Empty": "", "Damaged": "damaged"} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				synctest.Test(t, func(t *testing.T) { openTwoAtOnce(t, data) })
			}
		})
	}
}

func openTwoAtOnce(t *testing.T, data string) {
	path := newPath(t)
	if data != "" {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var both sync.WaitGroup
	stores, errs := make([]*store.Store, 2), make([]error, 2)
	for i := range 2 {
		both.Go(func() { stores[i], errs[i] = store.Open(path, store.Options{}) })
	}
	both.Wait()
	won := 0
	for i, s := range stores {
		var held *store.HeldError
		switch {
		case errs[i] == nil:
			won++
			defer s.Close()
		case !errors.As(errs[i], &held):
			t.Errorf("the loser was told %v", errs[i])
		}
	}
	if won != 1 {
		t.Errorf("%d of two opened it", won)
	}
	if aside, _ := filepath.Glob(path + ".corrupt-*"); len(aside) > 1 {
		t.Errorf("the winner's file was set aside: %v", aside)
	}
}
