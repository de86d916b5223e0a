//go:build linux

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// cut runs a daemon whose machine loses power several times.
func cut(b *bench, t *try) error {
	d, k, done, err := b.onDisk(t, 32, 30)
	if err != nil {
		return err
	}
	defer done()
	w := newWitness(t, false)
	w.pausing, w.timing = true, true
	return b.powerFails(d, k, w, lives)
}

// lie runs a daemon whose disk claims to have synced and has not. The daemon cannot prevent
// the loss, but has to report it.
func lie(b *bench, t *try) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	d, k, done, err := b.onDisk(t, 32, 10)
	if err != nil {
		return err
	}
	defer done()
	w := newWitness(t, true)
	if err := b.life(d, w, time.Second, func(d *daemon) error { return d.term() }); err != nil { // begin with an honest disk
		return err
	}
	d.before = []string{strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync,sync_file_range",
		"-e", "inject=fdatasync,fsync:retval=0"}
	return b.powerFails(d, k, w, 2)
}

// powerFails cuts the power that often, each time at a random moment, and compares in between.
func (b *bench) powerFails(d *daemon, k *disk, w *witness, times int) error {
	for range times {
		err := b.life(d, w, 500*time.Millisecond, func(*daemon) error {
			err := k.cut()
			b.wait(20 * time.Millisecond) // nothing may be visible that is not on the disk
			return err
		})
		if err := errors.Join(err, k.again()); err != nil {
			return err
		}
	}
	d.before = nil
	if err := d.startAndCompare(b, w); err != nil {
		return err
	}
	w.t.times = times
	return d.term()
}
