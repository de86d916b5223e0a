package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// schema1 makes a database as a daemon of schema 1 did: with rows of a and b,
// which is paused, events 11 to 40, and 70,000 generations that may have been
// handed out; then lets edit change it.
func schema1(t testing.TB, edit func(meta, rows, events *bolt.Bucket) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "providerd.db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		var buckets []*bolt.Bucket
		var errs []error
		for _, name := range []string{"meta", "rows", "events"} {
			b, err := tx.CreateBucket([]byte(name))
			buckets, errs = append(buckets, b), append(errs, err)
		}
		meta, rows, events := buckets[0], buckets[1], buckets[2]
		put := func(b *bolt.Bucket, key []byte, v any) {
			text, err := json.Marshal(v)
			errs = append(errs, err, b.Put(key, text))
		}
		errs = append(errs, meta.Put([]byte("schema"), []byte("1")), meta.Put([]byte("generation"), []byte("70000")))
		for _, id := range []string{"a", "b"} {
			put(rows, []byte(id), provider.Status{ID: id, Kind: "ollama", State: provider.StateRunning, Reason: provider.OK, Paused: id == "b"})
		}
		for seq := uint64(11); seq <= 40; seq++ {
			put(events, seqKey(seq), provider.Event{ID: "a", To: provider.StateRunning, Detail: fmt.Sprint(seq)})
		}
		errs = append(errs, events.SetSequence(40))
		if edit != nil {
			errs = append(errs, edit(meta, rows, events))
		}
		return errors.Join(errs...)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// opened opens a database and closes it at the end.
func opened(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// mustHaveAll checks that everything that schema1 wrote is there, under its number.
func mustHaveAll(t testing.TB, s *Store) {
	t.Helper()
	rows := s.Restored()
	if len(rows) != 2 || rows["a"].State != provider.StateRunning || rows["a"].Paused || !rows["b"].Paused {
		t.Errorf("rows: %+v", rows)
	}
	events, err := s.Events(0, 0)
	if err != nil || len(events) != 30 {
		t.Fatalf("%d events (%v)", len(events), err)
	}
	for i, e := range events {
		if want := uint64(11 + i); e.Seq != want || e.Detail != fmt.Sprint(want) {
			t.Errorf("event %d is %+v", want, e)
		}
	}
	if n := s.NextGeneration(); n <= 70_000 {
		t.Errorf("generation %d", n)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// filesBeside lists a folder.
func filesBeside(t testing.TB, path string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestMigrate_KeepsAll(t *testing.T) {
	path := schema1(t, nil)
	s := opened(t, path, Options{})
	mustHaveAll(t, s)
	if got, want := filesBeside(t, path), "providerd.db providerd.db.owner providerd.db.schema1"; got != want {
		t.Errorf("in the folder: %s", got)
	}
	// An older daemon checks the schema first, and finds an unknown one.
	if got := metaOf(t, s.file.Load().db)["schema"]; got != "3" {
		t.Errorf("schema %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustHaveAll(t, opened(t, path, Options{})) // and again, as any other
}

// The kept file is a backup as a daemon of schema 1 made it, so that going back to it reuses no
// number.
func TestMigrate_KeepsABackupOfTheOld(t *testing.T) {
	path := schema1(t, nil)
	opened(t, path, Options{}).Close()
	kept := path + ".schema1"
	if info, err := os.Stat(kept); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v (%v)", info, err)
	}
	err := onFile(kept, func(db *bolt.DB, _ *os.File) error {
		if meta := metaOf(t, db); meta["schema"] != "1" || len(meta["generation"]) < 16 || meta["copy"] != "1" {
			t.Errorf("kept: %v", meta)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// Put back and migrated again, it replaces the last one.
	if err := os.Rename(kept, path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, []byte("of an earlier migration"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := opened(t, path, Options{})
	if _, err := s.Events(40, 0); err == nil {
		t.Error("a restored backup goes on with the old numbers")
	}
	if info, err := os.Stat(kept); err != nil || info.Size() < 1000 {
		t.Errorf("%v (%v)", info, err)
	}
}

// metaOf returns the contents of the bucket meta.
func metaOf(t testing.TB, db *bolt.DB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(metaBucket()).ForEach(func(k, v []byte) error { found[string(k)] = string(v); return nil })
	})
	if err != nil {
		t.Error(err)
	}
	return found
}

// A kill can come between any two steps or in the middle of one. The old file stays unchanged
// until the new one replaces it, and the next start begins again.
func TestMigrate_InterruptedAnywhere(t *testing.T) {
	steps := len(new(migration).steps())
	for n := range steps + 1 {
		t.Run(fmt.Sprint("After", n), func(t *testing.T) {
			path := schema1(t, nil)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			err = onFile(path, func(db *bolt.DB, file *os.File) error {
				m := &migration{path: path, from: 1, old: db, file: file, log: hclog.NewNullLogger(), now: time.Now()}
				for _, step := range m.steps()[:n] {
					if err := step(); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the old file was changed (%v)", err)
			}
			mustHaveAll(t, opened(t, path, Options{}))
		})
	}
	t.Run("InAStep", func(t *testing.T) {
		path := schema1(t, nil)
		for _, left := range []string{path + ".new", path + ".schema1.new"} {
			if err := os.WriteFile(left, []byte("half a data"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		mustHaveAll(t, opened(t, path, Options{}))
		if got, want := filesBeside(t, path), "providerd.db providerd.db.owner providerd.db.schema1"; got != want {
			t.Errorf("in the folder: %s", got)
		}
	})
}

// If a step fails the daemon does not start, and everything is as before.
func TestMigrate_RefusedChangesNothing(t *testing.T) {
	for _, name := range []string{".new", ".schema1.new", ".schema1"} {
		path := schema1(t, nil)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// A folder that is not empty can be neither removed nor replaced.
		if err := os.MkdirAll(filepath.Join(path+name, "in the way"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err = Open(path, Options{})
		var refused *OpenError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "migrate the database") || refused.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the old file was changed (%v)", name, err)
		}
		if err := os.RemoveAll(path + name); err != nil {
			t.Fatal(err)
		}
		mustHaveAll(t, opened(t, path, Options{}))
	}
}

func TestMigrate_AFullDiskIsNamed(t *testing.T) {
	err := &OpenError{Op: "migrate the database", Path: "/s/providerd.db", Needs: 12 << 20,
		Err: &fs.PathError{Op: "write", Path: "/s/providerd.db.new", Err: syscall.ENOSPC}}
	if hint := err.Hint(); !strings.Contains(hint, "free 13 MB on the disk of /s and start again") {
		t.Error(hint)
	}
}

func TestMigrate_OfADamagedFile(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for name, c := range map[string]struct {
		edit func(meta, rows, events *bolt.Bucket) error
		says string
		anew bool         // the numbers are
		gap  provider.Gap // otherwise
	}{
		"UnreadableRow": {
			edit: func(_, rows, _ *bolt.Bucket) error { return rows.Put([]byte("c"), []byte("{")) },
			says: "a row of the database is unreadable",
		},
		"MissingEvents": {
			edit: func(_, _, events *bolt.Bucket) error {
				return errors.Join(events.Delete(seqKey(20)), events.Delete(seqKey(21)))
			},
			says: "events 20 to 21", gap: provider.Gap{First: 20, Last: 21},
		},
		"UnreadableEvent": {
			edit: func(_, _, events *bolt.Bucket) error { return events.Put(seqKey(20), []byte("{")) },
			says: "event 20", gap: provider.Gap{First: 20, Last: 20},
		},
		"NewestEventsMissing": {
			edit: func(_, _, events *bolt.Bucket) error { return events.SetSequence(44) },
			says: "events 41 to 44", gap: provider.Gap{First: 41, Last: 44},
		},
		"NumberOfEventsDamaged": {
			edit: func(_, _, events *bolt.Bucket) error { return events.SetSequence(40 | 1<<50) },
			says: "the number of the newest event is damaged", anew: true,
		},
		"NumberOfEventsTooSmall": {
			edit: func(_, _, events *bolt.Bucket) error { return events.SetSequence(8) },
		},
		"GenerationDamaged": {
			edit: func(meta, _, _ *bolt.Bucket) error { return meta.Put([]byte("generation"), []byte("7q000")) },
			says: "the number of the latest refresh is damaged", anew: true,
		},
		"ABackup": {
			edit: func(meta, _, _ *bolt.Bucket) error { return meta.Put([]byte("copy"), []byte("1")) },
			says: "restored backup", anew: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s := opened(t, schema1(t, c.edit), Options{
				Now: func() time.Time { return now }, Log: hclog.New(&hclog.LoggerOptions{Output: &log}),
			})
			if !strings.Contains(log.String(), c.says) {
				t.Errorf("said:\n%s", log.String())
			}
			if rows := s.Restored(); len(rows) != 2 || !rows["b"].Paused {
				t.Errorf("rows: %+v", rows)
			}
			if c.anew {
				if n, g := s.View().Seq(), s.NextGeneration(); n < uint64(now.UnixMilli()) || g < uint64(now.UnixMilli()) {
					t.Errorf("goes on from event %d and generation %d", n, g)
				}
				return
			}
			told := provider.Gap{}
			read := uint64(10)
			for read < s.View().Seq() {
				events, err := s.Events(read, 0)
				var gap *GapError
				if errors.As(err, &gap) {
					told, read = gap.Gap, gap.Last
				} else if err != nil {
					t.Fatal(err)
				} else {
					read = events[len(events)-1].Seq
				}
			}
			if told != c.gap {
				t.Errorf("told of %v, want %v", told, c.gap)
			}
			if n := s.NextGeneration(); n <= 70_000 {
				t.Errorf("generation %d", n)
			}
		})
	}
}
