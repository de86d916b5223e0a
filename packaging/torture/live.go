//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// A misdeed is done to a running daemon's files.
type misdeed struct {
	name   string
	do     func(*daemon, *rand.Rand) error
	unseen bool // it may hit only unused pages
}

var misdeeds = []misdeed{
	{"database truncated", func(d *daemon, random *rand.Rand) error {
		info, err := os.Stat(d.database())
		if err != nil {
			return err
		}
		return os.Truncate(d.database(), random.Int64N(info.Size()))
	}, false},
	{"noise in the database", func(d *daemon, random *rand.Rand) error {
		f, err := os.OpenFile(d.database(), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		for range 6 {
			page := make([]byte, 4096)
			for i := range page {
				page[i] = byte(random.Uint32())
			}
			if _, err := f.WriteAt(page, random.Int64N(info.Size()/4096)*4096); err != nil {
				return err
			}
		}
		return nil
	}, true},
	{"database deleted", func(d *daemon, _ *rand.Rand) error { return os.Remove(d.database()) }, false},
	{"database moved", func(d *daemon, _ *rand.Rand) error { return os.Rename(d.database(), d.database()+".moved") }, false},
	{"an older copy over the database", func(d *daemon, _ *rand.Rand) error {
		text, err := os.ReadFile(d.database() + ".older")
		if err != nil {
			return err
		}
		copied := d.database() + ".copy"
		return errors.Join(os.WriteFile(copied, text, 0o600), os.Rename(copied, d.database()))
	}, false},
	{"an empty file over the database", func(d *daemon, _ *rand.Rand) error {
		empty := d.database() + ".copy"
		return errors.Join(os.WriteFile(empty, nil, 0o600), os.Rename(empty, d.database()))
	}, false},
	{"state folder moved", func(d *daemon, _ *rand.Rand) error { return os.Rename(d.state, d.state+".moved") }, false},
	{"state folder deleted", func(d *daemon, _ *rand.Rand) error { return os.RemoveAll(d.state) }, false},
	{"socket deleted", func(d *daemon, _ *rand.Rand) error { return os.Remove(d.socket) }, false},
	{"socket moved", func(d *daemon, _ *rand.Rand) error { return os.Rename(d.socket, d.socket+".moved") }, false},
	{"socket's folder deleted", func(d *daemon, _ *rand.Rand) error { return os.RemoveAll(filepath.Dir(d.socket)) }, false},
}

// live does one misdeed under a witness. The daemon must say so and continue, and what was seen
// stays or is reported as gone. Or it ends with a log line, and the next daemon continues.
func live(b *bench, t *try) error {
	server := flipping()
	defer server.Close()
	d, err := b.newDaemon(t.dir, watching(20, server.URL))
	if err != nil {
		return err
	}
	defer d.kill()
	w := newWitness(t, true)
	if err := b.life(d, w, time.Second, func(d *daemon) error { return d.term() }); err != nil {
		return err
	}
	older, err := os.ReadFile(d.database())
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.database()+".older", older, 0o600); err != nil {
		return err
	}
	if err := d.startAndCompare(b, w); err != nil {
		return err
	}
	watch := w.watch(d)
	defer watch.stop()
	defer d.kill()
	deed := misdeeds[b.random.IntN(len(misdeeds))]
	b.wait(time.Duration(b.random.Int64N(int64(time.Second))))
	before, said := len(t.report), len(d.log.String())
	if err := deed.do(d, b.random); err != nil {
		return err
	}
	err = b.survives(d, w, said, deed.unseen)
	d.kill()
	watch.stop()
	if err == nil {
		err = d.startAndCompare(b, w)
	}
	for i := before; i < len(t.report); i++ {
		t.report[i] += " (" + deed.name + ")"
	}
	if err != nil {
		return fmt.Errorf("%s: %w", deed.name, err)
	}
	return d.term()
}

// survives reads what is on the disk, and waits until the daemon has ended with a log line; or
// until it has logged the problem if it must, is healthy, and its events continue.
func (b *bench) survives(d *daemon, w *witness, said int, mayBeSilent bool) error {
	_, _ = d.get("/api/providers/p1/history", nil)
	_ = d.events("", func(heard) {})
	var seq uint64
	from := time.Now()
	ok := d.until(b, noticeTime+recoverTime, func() bool {
		h := d.health()
		if h.err != nil {
			return false
		}
		if seq == 0 {
			seq = h.seq
		}
		return h.status == 200 && h.seq > seq && (mayBeSilent || d.log.warned(said))
	})
	switch {
	case !d.running():
		if !d.log.warned(said) {
			w.fault(unsaid, "it ended without a log line")
		}
	case !mayBeSilent && !d.log.warned(said):
		w.fault(unsaid, "nothing in the log after %s", time.Since(from).Round(time.Second))
	case !ok:
		w.fault(stuck, "unhealthy %s later: %v", noticeTime+recoverTime, d.health())
	}
	return nil
}
