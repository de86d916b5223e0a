package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func TestOpen_Damaged(t *testing.T) {
	good := newPath(t)
	withEvents(t, good, store.Options{}, 2000).Close()
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for name, damaged := range map[string][]byte{
		"Empty":       {},
		"Garbage":     bytes.Repeat([]byte("garbage "), 5000),
		"ShortText":   []byte("hello\n"),
		"CutInAPage":  whole[:len(whole)/3+17],
		"CutToMetas":  whole[:2*os.Getpagesize()],
		"CutToAByte":  whole[:1],
		"ZeroedPages": append(bytes.Clone(whole[:2*os.Getpagesize()]), make([]byte, len(whole)-2*os.Getpagesize())...),
	} {
		t.Run(name+"IsKeptAside", func(t *testing.T) {
			path := newPath(t)
			aside := path + ".corrupt-20260506T070809Z"
			for _, file := range []string{path, aside} { // and what is there already is not overwritten
				if err := os.WriteFile(file, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			s := open(t, path, store.Options{
				Now: func() time.Time { return now },
				Log: hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Warn}),
			})
			for _, file := range []string{aside, aside + "-2"} {
				if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, damaged) {
					t.Errorf("%s: %d bytes of %d (%v)", file, len(kept), len(damaged), err)
				}
			}
			if !strings.Contains(log.String(), aside+"-2") {
				t.Errorf("the log does not say where it is: %s", log.String())
			}
			mustWork(t, s)
		})
	}
	t.Run("AnotherProgramsDatabaseIsKeptAside", func(t *testing.T) {
		path := newPath(t)
		edit(t, path, func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
		s := open(t, path, store.Options{Now: func() time.Time { return now }})
		if _, err := os.Stat(path + ".corrupt-20260506T070809Z"); err != nil {
			t.Error(err)
		}
		mustWork(t, s)
	})
	t.Run("HeldIsNotDamaged", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			path := newPath(t)
			db, err := bolt.Open(path, 0o600, nil) // another program's, and half made
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			mustRefuse[*store.HeldError](t, path)
			if found, _ := filepath.Glob(path + ".corrupt-*"); len(found) != 0 {
				t.Errorf("the file of a living process was moved: %v", found)
			}
		})
	})
	t.Run("ADamagedRowIsLeftOut", func(t *testing.T) {
		path := newPath(t)
		withEvents(t, path, store.Options{}, 4).Close()
		text := []byte(`{"id":"a","kind"`)
		damaged := bytes.ReplaceAll(mustRead(t, path), text, []byte(`{"id":"a","kinD"`)) // in each copy of the page
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		s := open(t, path, store.Options{Log: hclog.New(&hclog.LoggerOptions{Output: &log})})
		rows := s.Restored()
		if _, ok := rows["a"]; ok || rows["b"].State != provider.StateRunning || s.View().Seq() != 4 {
			t.Errorf("restored %v, seq %d", rows, s.View().Seq())
		}
		if !strings.Contains(log.String(), `lost_rows=["a"]`) {
			t.Errorf("the log does not name it: %s", log.String())
		}
	})
}

// Whichever byte is damaged, the store opens and keeps nearly everything. The numbers
// continue where they were, or beyond all that can have been given.
func TestOpen_FlippedBytes(t *testing.T) {
	path := newPath(t)
	withEvents(t, path, store.Options{}, 400).Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page, began := os.Getpagesize(), time.Now()
	var places []int
	for at := 0; at < len(whole) && at < 40*page; at++ {
		if in := at % page; in < 64 && at%67 == 0 || at%10007 == 0 { // heads of pages above all
			places = append(places, at)
		}
	}
	dir := t.TempDir()
	for _, at := range places {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0xFF
		path := filepath.Join(dir, fmt.Sprint(at), "flipped.db")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatalf("byte %d: %v", at, err)
		}
		if seq := s.View().Seq(); seq != 400 && seq < uint64(began.UnixMicro()) {
			t.Errorf("byte %d: seq %d", at, seq)
		}
		if kept := historyOf(t, s, "a", "b"); kept < 360 { // a page has some 30
			t.Errorf("byte %d: %d events of 400 are left", at, kept)
		}
		for id, row := range s.Restored() {
			if _, err := json.Marshal(row); err != nil || row.ID != id {
				t.Errorf("byte %d: row %q is %+v", at, id, row)
			}
		}
		mustWork(t, s) // and thereby write a damaged meta page anew
		if err := s.Close(); err != nil {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

// historyOf is how many events are in the histories, not counting gaps.
func historyOf(t *testing.T, s *store.Store, ids ...string) (n int) {
	t.Helper()
	for _, id := range ids {
		past, err := s.EventsOf(id)
		if err != nil {
			t.Error(err)
		}
		n += len(past.Events)
	}
	return n
}

// A file can claim any size: only what is in use is read and held in memory.
func TestOpen_AFileThatClaimsAGigabyte(t *testing.T) {
	const claimed = 1 << 30
	for name, damage := range map[string]func(path string) error{
		"Sound":   func(string) error { return nil },
		"Damaged": func(path string) error { return spoil(path, 6) },
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			withEvents(t, path, store.Options{}, 400).Close()
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, claimed); err != nil {
				t.Skip(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s := open(t, path, store.Options{})
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > claimed/16 {
				t.Errorf("it took %d MiB to open it", took>>20)
			}
			if kept := historyOf(t, s, "a", "b"); s.Stats().Bytes > claimed/16 || kept < 300 {
				t.Errorf("%d bytes, %d events", s.Stats().Bytes, kept)
			}
			mustWork(t, s)
			backUp(t, s)
		})
	}
}

// spoil overwrites the head of a page.
func spoil(path string, page int) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte("spoiled!spoiled!"), int64(page*os.Getpagesize()))
	return err
}
