package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// schema2 makes a database as a daemon of schema 2 left it, with what schema1 writes.
func schema2(t testing.TB, copied bool) string {
	t.Helper()
	path := schema1(t, nil)
	if err := opened(t, path, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	older := func(tx *bolt.Tx) error {
		var errs []error
		for _, name := range append(historyBuckets(), notifyBucket()) {
			if tx.Bucket(name) != nil {
				errs = append(errs, tx.DeleteBucket(name))
			}
		}
		errs = append(errs, putNumber(tx.Bucket(metaBucket()), schemaKey(), 2))
		return errors.Join(append(errs, rewriting(func(h *head) {
			h.Schema, h.Copy, h.Alive, h.Until, h.Rolls, h.Days, h.Batch = 2, copied, 0, 0, 0, 0, 0
		})(tx))...)
	}
	err := onFile(path, func(db *bolt.DB, _ *os.File) error { return errors.Join(db.Update(older), db.Update(older)) })
	for _, name := range []string{path + ".schema1", ownerPath(path)} {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMigrate_FromSchema2KeepsAll(t *testing.T) {
	path := schema2(t, false)
	s := opened(t, path, Options{})
	mustHaveAll(t, s)
	if got, want := filesBeside(t, path), "providerd.db providerd.db.owner providerd.db.schema2"; got != want {
		t.Errorf("in the folder: %s", got)
	}
	// The history begins.
	s.Configure([]string{"a"}, nil)
	s.Watch(Watched{Wall: time.Now()})
	s.Probed("a", true, time.Millisecond)
	if err := s.SyncBarrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hours, err := s.Hours("a", time.Time{}, time.Now().Add(time.Hour)); err != nil || len(hours) != 1 {
		t.Errorf("%v (%v)", hours, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, path, Options{})
}

// The kept file is marked as a backup in its own schema, so that going back to it reuses no
// number.
func TestMigrate_FromSchema2KeepsABackupOfTheOld(t *testing.T) {
	path := schema2(t, false)
	opened(t, path, Options{}).Close()
	err := onFile(path+".schema2", func(db *bolt.DB, file *os.File) error {
		if _, err := verifyFile(file); err != nil {
			return err
		}
		return db.View(func(tx *bolt.Tx) error {
			version, err := number(tx.Bucket(metaBucket()), schemaKey())
			h, bad := readHead(tx)
			if err == nil && bad == nil && (version != 2 || h.Schema != 2 || !h.Copy || h.Generation < 1<<50 || h.Commit != uint64(tx.ID()) || h.Newest != 40) {
				err = fmt.Errorf("version %d, head %+v", version, h)
			}
			return errors.Join(err, bad)
		})
	})
	if err != nil {
		t.Error(err)
	}
	// Put back and migrated again, it gets new numbers.
	if err := os.Rename(path+".schema2", path); err != nil {
		t.Fatal(err)
	}
	s := opened(t, path, Options{})
	if _, err := s.Events(40, 0); err == nil {
		t.Error("a restored backup continues with the old numbers")
	}
}

// A backup that a daemon of schema 2 made is still one after the migration.
func TestMigrate_FromABackupOfSchema2(t *testing.T) {
	s := opened(t, schema2(t, true), Options{})
	if _, err := s.Events(40, 0); err == nil {
		t.Error("a restored backup continues with the old numbers")
	}
	if events, err := s.Events(0, 0); err != nil || len(events) != 30 {
		t.Errorf("%d events (%v)", len(events), err)
	}
}

// A kill can come between any two steps, see TestMigrate_InterruptedAnywhere.
func TestMigrate_FromSchema2InterruptedAnywhere(t *testing.T) {
	for n := range len(new(migration).steps()) + 1 {
		path := schema2(t, false)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		err = onFile(path, func(db *bolt.DB, file *os.File) error {
			m := newMigration(path, db, file, Options{Log: hclog.NewNullLogger(), Now: time.Now})
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
			t.Errorf("after %d steps the old file was changed (%v)", n, err)
		}
		mustHaveAll(t, opened(t, path, Options{}))
	}
}

// A damaged database of schema 2 is rescued into one of this schema.
func TestMigrate_FromADamagedSchema2(t *testing.T) {
	path := schema2(t, false)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.ReplaceAll(data, []byte(`"detail":"25"`), []byte(`"detail":"X5"`))
	if err := os.WriteFile(path, bad, 0o600); err != nil || bytes.Equal(bad, data) {
		t.Fatal(err)
	}
	s := opened(t, path, Options{})
	var gone *GapError
	if _, err := s.Events(24, 1); !errors.As(err, &gone) {
		t.Errorf("the damaged event: %v", err)
	}
	if events, err := s.Events(25, 0); err != nil || len(events) != 15 {
		t.Errorf("%d events after it (%v)", len(events), err)
	}
	if rows := s.Restored(); len(rows) != 2 || rows["a"].State != provider.StateRunning {
		t.Errorf("rows: %+v", rows)
	}
	if got := metaOf(t, s.file.Load().db)["schema"]; got != "3" {
		t.Errorf("schema %q", got)
	}
}

// From schema 1 the history begins too: it fills hour by hour, in the day as well, and is kept.
func TestMigrate_FromSchema1BeginsAHistory(t *testing.T) {
	path := schema1(t, nil)
	s := opened(t, path, Options{})
	mustHaveAll(t, s)
	s.Configure([]string{"a", "b"}, nil)
	now := time.Now().UTC().Truncate(24 * time.Hour)
	s.Watch(Watched{Wall: now})
	for range 26 {
		now = now.Add(time.Hour)
		s.Watch(Watched{Wall: now, Seen: time.Hour})
		s.Probed("a", true, time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, path, Options{})
	mustHaveAll(t, s)
	hours, err := s.Hours("a", time.Time{}, now.Add(time.Hour))
	days, bad := s.Days("a", time.Time{}, now.Add(time.Hour))
	if err := errors.Join(err, bad); err != nil || len(hours) != 27 || len(days) != 2 {
		t.Fatalf("%d hours, %d days (%v)", len(hours), len(days), err)
	}
	if d := days[0]; d.In(provider.StateRunning) != 24*time.Hour || d.Known() != 24*time.Hour || d.Probes != 23 {
		t.Errorf("the first day: %+v", d)
	}
}
