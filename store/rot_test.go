package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// everyBit makes the tests of damage try every bit instead of a sample: hours.
var everyBit = flag.Bool("every-bit", false, "flip every bit of a database, not a sample")

// A truth is what a database had before it was damaged.
type truth struct {
	rows       map[string]string // JSON by id
	paused     map[string]bool
	events     map[uint64]string // JSON by seq
	newest     uint64
	generation uint64
	image      []byte   // of the file
	older      [][]byte // images of the file before
	tried      atomic.Int64
}

// lived returns a closed database with rows and events that was in use for a while. page is
// the seq of the oldest event that it keeps.
func lived(t testing.TB) *truth {
	t.Helper()
	path := newPath(t)
	o := store.Options{KeepEvents: 500}
	names := ids(50)
	s := configured(t, path, o, names...)
	tr := &truth{rows: map[string]string{}, paused: map[string]bool{}, events: map[uint64]string{}}
	for round := range 14 {
		for i, id := range names {
			if round > 0 && i%7 == round%7 {
				continue
			}
			state := []provider.State{provider.StateRunning, provider.StateStopped}[round%2]
			u := change(id, state, fmt.Sprintf("round %d, of a text of some length", round))
			u.Status.Paused = i%10 == 3
			u.Status.Generation = s.NextGeneration()
			u.Status.Endpoint = "http://127.0.0.1:" + fmt.Sprint(10_000+i)
			s.Put(u)
		}
		s.Put(change(names[0], provider.StateError, fmt.Sprint("last of round ", round))) // with its commit
		if err := s.SyncBarrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		tr.older = append(tr.older, read(t, path))
	}
	tr.generation, tr.newest = s.Generation(), s.View().Seq()
	for _, e := range mustEvents(t, s, 0, 0) {
		tr.events[e.Seq] = text(t, e)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tr.image = read(t, path)
	s = open(t, path, o)
	for id, st := range s.Restored() {
		tr.rows[id], tr.paused[id] = text(t, st), st.Paused
	}
	if len(tr.rows) != 50 || len(tr.events) != 500 {
		t.Fatalf("%d rows, %d events", len(tr.rows), len(tr.events))
	}
	return tr
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A trial is one damaged database and its outcome.
type trial struct {
	t    testing.TB
	tr   *truth
	what string // was done to it
	log  bytes.Buffer
	path string
}

// judge opens a damaged image and reads all of it: each answer must be the true one, or absent
// and reported.
func (tr *truth) judge(t testing.TB, folder, what string, image []byte) {
	t.Helper()
	try := &trial{t: t, tr: tr, what: what, path: filepath.Join(folder, "providerd.db")}
	_ = os.Remove(try.path + ".owner") // of the trial before, which tells how far that had come
	if err := os.WriteFile(try.path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(try.path, store.Options{
		KeepEvents: 500, Log: hclog.New(&hclog.LoggerOptions{Output: &try.log, Level: hclog.Warn}),
	})
	if err != nil {
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || hint.Hint() == "" {
			t.Errorf("%s: refused without a hint: %v", what, err)
		}
		return
	}
	aside, _ := filepath.Glob(try.path + ".corrupt-*")
	try.rows(s)
	try.events(s)
	try.numbers(s, len(aside) > 0)
	if tr.tried.Add(1)%4 == 0 || *everyBit {
		try.goesOn(s)
	} else if err := s.Close(); err != nil {
		try.errorf("close: %v", err)
	}
	for _, name := range aside {
		os.Remove(name)
	}
}

func (try *trial) errorf(format string, args ...any) {
	try.t.Helper()
	try.t.Errorf("%s: %s\n%s", try.what, fmt.Sprintf(format, args...), try.log.String())
}

func (try *trial) said(part string) bool { return strings.Contains(try.log.String(), part) }

func (try *trial) rows(s *store.Store) {
	found := s.Restored()
	for id, st := range found {
		switch {
		case text(try.t, st) == try.tr.rows[id]:
		case st.State == provider.StateUnknown && st.Paused && try.tr.paused[id]: // all that is sure of it
		default:
			try.errorf("row %s is %s, and was %s", id, text(try.t, st), try.tr.rows[id])
		}
	}
	if len(found) < len(try.tr.rows) && !try.said("the database is damaged") {
		try.errorf("%d rows are missing, and nothing is said", len(try.tr.rows)-len(found))
	}
}

// events reads like a client that has seen all events, and like a new one.
func (try *trial) events(s *store.Store) {
	told, cursor := map[uint64]bool{}, uint64(0)
	seen := map[uint64]bool{}
	for {
		events, err := s.Events(cursor, 100)
		var gap *store.GapError
		if errors.As(err, &gap) {
			for seq := gap.First; seq <= gap.Last && seq < gap.First+2000; seq++ {
				told[seq] = true
			}
			cursor = gap.Last
			continue
		}
		if err != nil {
			try.errorf("events since %d: %v", cursor, err)
			return
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			if cursor > 0 && e.Seq != cursor+1 {
				try.errorf("after event %d comes %d", cursor, e.Seq)
			}
			cursor = e.Seq
			seen[e.Seq] = true
			if want, known := try.tr.events[e.Seq]; known && text(try.t, e) != want {
				try.errorf("event %d is %s, and was %s", e.Seq, text(try.t, e), want)
			} else if !known && e.Seq <= try.tr.newest {
				try.errorf("event %d is %s, and was never kept", e.Seq, text(try.t, e))
			}
		}
	}
	if len(told) > 0 && !try.said("events of the database are damaged") {
		try.errorf("a gap is not in the log")
	}
	for _, since := range []uint64{try.tr.newest - 400, try.tr.newest} {
		_, err := s.Events(since, 1)
		if err != nil && !isGone(err) {
			try.errorf("resumed from %d: %v", since, err)
		}
		if err != nil { // it begins anew, and knows that
			return
		}
	}
	for seq := range try.tr.events {
		if !seen[seq] && !told[seq] {
			try.errorf("event %d is missing, and nobody is told", seq)
			return
		}
	}
}

// numbers checks that no number is used again.
func (try *trial) numbers(s *store.Store, empty bool) {
	if empty {
		return // a new database; who resumes hears so, see events
	}
	if got := s.View().Seq(); got < try.tr.newest {
		try.errorf("the newest event is %d, and was %d", got, try.tr.newest)
	}
	if got := s.NextGeneration(); got <= try.tr.generation {
		try.errorf("the next generation is %d after %d", got, try.tr.generation)
	}
}

// goesOn checks that the database can be used, and is intact afterwards except for what is
// gone.
func (try *trial) goesOn(s *store.Store) {
	names := ids(50)
	s.Configure(names, nil)
	for _, id := range names {
		s.Put(change(id, provider.StateDegraded, "after the damage"))
	}
	err := errors.Join(s.SyncBarrier(try.t.Context()), s.Check(try.t.Context()), s.Close())
	if err != nil {
		try.errorf("it cannot be used: %v", err)
		return
	}
	try.log.Reset()
	s, err = store.Open(try.path, store.Options{
		KeepEvents: 500, Log: hclog.New(&hclog.LoggerOptions{Output: &try.log, Level: hclog.Warn}),
	})
	if err != nil {
		try.errorf("opened again: %v", err)
		return
	}
	if rows := s.Restored(); len(rows) != 50 || try.said("the database is damaged") {
		try.errorf("opened again, it has %d rows", len(rows))
	}
	if err := s.Close(); err != nil {
		try.errorf("close: %v", err)
	}
}

// inBubble makes the database without waiting for the pace of its commits.
func inBubble(t *testing.T) (tr *truth) {
	synctest.Test(t, func(t *testing.T) { tr = lived(t) })
	return tr
}

func TestOpen_FlippedBits(t *testing.T) {
	tr := inBubble(t)
	all, page := len(tr.image)*8, os.Getpagesize()
	rng := rand.New(rand.NewPCG(46, 489))
	var bits []int
	for range 500 {
		// Anywhere; and in the heads of pages and of the elements in them, of which
		// there are few.
		bits = append(bits, rng.IntN(all), (rng.IntN(all/8/page)*page+rng.IntN(400))*8+rng.IntN(8))
	}
	if *everyBit {
		bits = bits[:0]
		for bit := range all {
			bits = append(bits, bit)
		}
	}
	const parts = 8 // each waits for the disk
	for i := range parts {
		t.Run(fmt.Sprint("Part", i), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			for _, bit := range bits[i*len(bits)/parts : (i+1)*len(bits)/parts] {
				damaged := bytes.Clone(tr.image)
				damaged[bit/8] ^= 1 << (bit % 8)
				tr.judge(t, folder, fmt.Sprintf("bit %d of byte %d", bit%8, bit/8), damaged)
			}
		})
	}
}

func TestOpen_DamagedSectorsAndPages(t *testing.T) {
	tr, page := inBubble(t), os.Getpagesize()
	pages := len(tr.image) / page
	pageOf := func(image []byte, i int) []byte { return image[i*page : (i+1)*page] }
	random := func() *rand.Rand { return rand.New(rand.NewPCG(46, 489)) }
	t.Run("ZeroedSector", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		const sector = 512
		for at := 0; at < len(tr.image); at += sector {
			damaged := bytes.Clone(tr.image)
			clear(damaged[at : at+sector])
			if bytes.Equal(damaged, tr.image) {
				continue // nothing was in it
			}
			tr.judge(t, folder, fmt.Sprint("sector at ", at), damaged)
		}
	})
	t.Run("OlderPage", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		type stale struct {
			page    int
			content string
		}
		tried := map[stale]bool{} // a page is the same in most images
		for n, older := range tr.older {
			for i := range min(pages, len(older)/page) {
				was := stale{i, string(pageOf(older, i))}
				if !tried[was] && !bytes.Equal(pageOf(tr.image, i), pageOf(older, i)) {
					tried[was] = true
					damaged := bytes.Clone(tr.image)
					copy(pageOf(damaged, i), pageOf(older, i))
					tr.judge(t, folder, fmt.Sprintf("page %d of image %d", i, n), damaged)
				}
			}
		}
	})
	t.Run("SwappedPages", func(t *testing.T) {
		t.Parallel()
		folder, rng := t.TempDir(), random()
		for range 200 {
			a, b := rng.IntN(pages), rng.IntN(pages)
			damaged := bytes.Clone(tr.image)
			copy(pageOf(damaged, a), pageOf(tr.image, b))
			copy(pageOf(damaged, b), pageOf(tr.image, a))
			tr.judge(t, folder, fmt.Sprintf("pages %d and %d", a, b), damaged)
		}
	})
	t.Run("DuplicatedPage", func(t *testing.T) {
		t.Parallel()
		folder, rng := t.TempDir(), random()
		for range 200 {
			a, b := rng.IntN(pages), rng.IntN(pages)
			damaged := bytes.Clone(tr.image)
			copy(pageOf(damaged, a), pageOf(tr.image, b))
			tr.judge(t, folder, fmt.Sprintf("page %d over %d", b, a), damaged)
		}
	})
	t.Run("Truncated", func(t *testing.T) {
		t.Parallel()
		folder, rng := t.TempDir(), random()
		for i := range pages {
			tr.judge(t, folder, fmt.Sprint("cut to page ", i), tr.image[:i*page+rng.IntN(page)])
		}
	})
}
