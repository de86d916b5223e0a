//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"text/tabwriter"
	"time"
)

// A trial is one way to treat a daemon badly.
type trial struct {
	name, what string
	share      int // of the time, relative to the others
	try        func(*bench, *try) error
}

var trials = []trial{
	{"kill", "kill -9 at any moment, under refreshes, pauses and a follower", 8, kill},
	{"cut", "power cuts: an ext4 loses its unwritten pages", 6, cut},
	{"lie", "power cuts of a disk that claims to have synced and has not", 4, lie},
	{"image", "a database with flipped bits, lost sectors, swapped pages", 6, image},
	{"live", "the database or the socket is truncated, overwritten, moved, deleted or replaced while the daemon runs", 6, live},
	{"full", "no space left, and then space again", 3, full},
	{"compact", "kill -9, power cuts and a full disk while a database is compacted that is mostly free", 4, compact},
	{"hang", "the disk does not answer for 15 seconds", 4, hang},
	{"readonly", "the file system turns read-only", 3, readOnly},
	{"clock", "a database from a time when the clock was years ahead", 2, clock},
	{"descriptors", "24 descriptors for 60 providers", 3, descriptors},
	{"storm", "eight processes that connect and close all the time", 2, storming},
}

// errSkip says why a trial cannot run on this machine.
var errSkip = errors.New("not here")

// A fault is what a client of a daemon would complain about.
type fault string

const (
	lost   fault = "lost"   // what it saw is gone
	wrong  fault = "wrong"  // it gets a different answer than before, or a false one
	unsaid fault = "unsaid" // neither health nor the log says that something is wrong
	stuck  fault = "stuck"  // no answer, no start, no end
)

var faults = [...]fault{lost, wrong, unsaid, stuck}

// A try is one run of a trial.
type try struct {
	dir    string // its own, empty
	times  int    // how often the daemon was treated that way
	told   int    // how often a client was told that something is gone, if it may be
	found  map[fault]int
	report []string
	note   string // a figure for the table
}

func (t *try) fault(f fault, format string, args ...any) {
	t.found[f]++
	t.report = append(t.report, fmt.Sprintf("%s: %s", f, fmt.Sprintf(format, args...)))
}

// A bench runs trials.
type bench struct {
	ctx    context.Context
	bin    string
	work   string
	keep   bool
	random *rand.Rand
	truth  *truth // of the trial image, made once
}

// maxPrinted is how many faults of a trial are printed; all are counted.
const maxPrinted = 20

// A line of the table is a trial and its results.
type line struct {
	name    string
	tries   int
	told    int
	found   map[fault]int
	note    string
	printed int // faults printed
	skipped error
}

type table []*line

// all runs each trial for its share of the time, in rounds, so that none depends on what the
// machine does in one minute.
func (b *bench) all(chosen []trial, length time.Duration) table {
	const rounds = 4
	shares := 0
	for _, t := range chosen {
		shares += t.share
	}
	lines := make(table, len(chosen))
	spent := make([]time.Duration, len(chosen))
	for i, t := range chosen {
		lines[i] = &line{name: t.name, found: map[fault]int{}}
	}
	for round := 1; round <= rounds; round++ {
		for i, t := range chosen {
			budget := length * time.Duration(t.share*round) / time.Duration(shares*rounds)
			for l := lines[i]; l.skipped == nil && b.ctx.Err() == nil && (l.tries == 0 || spent[i] < budget); {
				began := time.Now()
				b.once(t, l)
				spent[i] += time.Since(began)
			}
		}
	}
	return lines
}

// once runs one try, and adds it to the line.
func (b *bench) once(t trial, l *line) {
	dir, err := os.MkdirTemp(b.work, t.name+"-")
	if err != nil {
		l.skipped = err
		return
	}
	one := &try{dir: dir, times: 1, found: map[fault]int{}}
	err = t.try(b, one)
	switch {
	case b.ctx.Err() != nil: // it was interrupted
		return
	case errors.Is(err, errSkip):
		l.skipped = err
		return
	case err != nil:
		one.fault(stuck, "%v", err)
	}
	l.tries += one.times
	l.told += one.told
	for f, n := range one.found {
		l.found[f] += n
	}
	if one.note != "" {
		l.note = one.note
	}
	if len(one.report) == 0 {
		_ = os.RemoveAll(dir)
		return
	}
	for i, text := range one.report {
		if l.printed++; i >= 5 || l.printed > maxPrinted {
			break
		}
		fmt.Printf("%s, try %d: %s\n", t.name, l.tries, text)
	}
	if b.keep {
		fmt.Printf("%s, try %d: see %s\n", t.name, l.tries, dir)
		return
	}
	_ = os.RemoveAll(dir)
}

func (t table) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "trial\ttries\ttold\tlost\twrong\tunsaid\tstuck\t ")
	for _, l := range t {
		note := l.note
		if l.skipped != nil {
			note = l.skipped.Error()
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t", l.name, l.tries, l.told)
		for _, f := range faults {
			fmt.Fprintf(w, "%d\t", l.found[f])
		}
		fmt.Fprintf(w, " %s\n", note)
	}
	_ = w.Flush()
	fmt.Println("told: a client was told that something is gone, where that may happen; all others should be 0")
}

// exitCode is 1 if a client has a reason to complain.
func (t table) exitCode() int {
	for _, l := range t {
		for _, n := range l.found {
			if n > 0 {
				return 1
			}
		}
	}
	return 0
}
