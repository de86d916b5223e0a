//go:build linux

package main

import (
	"fmt"
	"time"
)

// kill kills a daemon several times in a row.
func kill(b *bench, t *try) error { return b.ends(t, func(d *daemon) error { d.kill(); return nil }) }

// lives is how often a daemon is started in a try.
const lives = 6

// newsTime is the longest time without news of providers that change all the time.
const newsTime = 5 * time.Second

// ends starts a daemon again and again, ends it with end at random moments under a witness, and
// checks it against what was seen.
func (b *bench) ends(t *try, end func(*daemon) error) error {
	server := flipping()
	defer server.Close()
	d, err := b.newDaemon(t.dir, watching(30, server.URL))
	if err != nil {
		return err
	}
	defer d.kill()
	w := newWitness(t, false)
	w.pausing, w.timing = true, true
	for range lives {
		if err := b.life(d, w, 300*time.Millisecond, end); err != nil {
			return err
		}
	}
	t.times = lives
	return d.startAndCompare(b, w)
}

// life is one run from start to end. It ends at a random moment after the witness has seen an
// event or, every second time, at the moment when it sees something new, which must be on the
// disk by then.
func (b *bench) life(d *daemon, w *witness, span time.Duration, end func(*daemon) error) error {
	if err := d.startAndCompare(b, w); err != nil {
		return err
	}
	watch := w.watch(d)
	select {
	case <-watch.first:
	case <-d.ended:
	case <-time.After(startTime):
		d.kill()
		watch.stop()
		return fmt.Errorf("no event within %s: %s", startTime, d.log.last())
	}
	b.wait(time.Duration(b.random.Int64N(int64(span))))
	if b.random.IntN(2) == 0 {
		w.waitForNews(b, newsTime)
	}
	err := end(d)
	d.kill()
	watch.stop()
	b.wait(pastLife)
	return err
}

func (d *daemon) startAndCompare(b *bench, w *witness) error {
	if err := d.start(b); err != nil {
		return err
	}
	return w.resume(d)
}
