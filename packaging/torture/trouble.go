//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// noticeTime is how long the daemon may take to say that it cannot do its work, and
// recoverTime to do it again afterwards.
const (
	noticeTime  = 10*time.Second + 2*time.Second
	recoverTime = 15 * time.Second
)

// A trouble is a temporary problem of a disk.
type trouble struct {
	begin, end func(*disk) error
	size       int           // of the disk, in MiB
	length     time.Duration // at least
}

// full fills the disk to the last block.
func full(b *bench, t *try) error {
	return b.trouble(t, trouble{size: 8, length: 3 * time.Second, begin: fill, end: func(k *disk) error {
		return os.Remove(filepath.Join(k.mount, "filler"))
	}})
}

// hang freezes the file system.
func hang(b *bench, t *try) error {
	return b.trouble(t, trouble{size: 32, length: 13 * time.Second,
		begin: func(k *disk) error { return k.control(freeze, 0) },
		end:   func(k *disk) error { return k.control(thaw, 0) },
	})
}

// readOnly makes the disk read-only, as after an error of the medium.
func readOnly(b *bench, t *try) error {
	return b.trouble(t, trouble{size: 32, length: 3 * time.Second, begin: (*disk).breaks})
}

// fill writes until there is no space left for even a single block.
func fill(k *disk) error {
	f, err := os.Create(filepath.Join(k.mount, "filler"))
	if err != nil {
		return err
	}
	defer f.Close()
	for size := 1 << 20; size >= 512; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return f.Sync()
}

// trouble makes a disk fail while a daemon works on it. Meanwhile plain reads are answered,
// health tells the truth, and what was seen stays. Afterwards half of the daemons continue; the
// others were killed meanwhile.
func (b *bench) trouble(t *try, of trouble) error {
	d, k, done, err := b.onDisk(t, of.size, 30)
	if err != nil {
		return err
	}
	defer done()
	w := newWitness(t, false)
	if err := b.life(d, w, time.Second, func(d *daemon) error { return d.term() }); err != nil {
		return err
	}
	if err := d.startAndCompare(b, w); err != nil {
		return err
	}
	watch := w.watch(d)
	defer watch.stop()
	defer d.kill()
	said := len(d.log.String())
	if err := of.begin(k); err != nil {
		return err
	}
	b.honest(d, t, of.length+time.Duration(b.random.Int64N(int64(4*time.Second))))
	if !d.log.warned(said) {
		t.fault(unsaid, "the log has no line of it")
	}
	if of.end == nil { // it lasts until the machine is restarted
		return b.endsMeanwhile(d, k, w, watch, k.again)
	}
	if b.random.IntN(2) == 0 {
		return b.endsMeanwhile(d, k, w, watch, func() error { return of.end(k) })
	}
	if err := of.end(k); err != nil {
		return err
	}
	b.recovers(d, t)
	d.kill()
	watch.stop()
	if err := d.startAndCompare(b, w); err != nil {
		return err
	}
	return d.term()
}

// endsMeanwhile ends a daemon during the trouble: it must close its socket in time, although
// the kernel may keep a process that waits for a disk.
func (b *bench) endsMeanwhile(d *daemon, k *disk, w *witness, watch watch, over func() error) error {
	if b.random.IntN(2) == 0 {
		d.terminate()
		if !b.silent(d, endTime) {
			w.fault(stuck, "still answers %s after SIGTERM", endTime)
		}
	}
	d.killNow()
	if err := over(); err != nil {
		// A file system is free once the processes that wait for it are gone.
		<-d.ended
		if err := over(); err != nil {
			return err
		}
	}
	select {
	case <-d.ended:
	case <-time.After(startTime):
		return errors.New("still there long after kill -9")
	}
	watch.stop()
	if err := d.startAndCompare(b, w); err != nil {
		return err
	}
	return d.term()
}

// silent waits until nothing answers.
func (b *bench) silent(d *daemon, limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		if _, err := d.get("/healthz", nil); err != nil {
			return true
		}
		b.wait(50 * time.Millisecond)
	}
	return false
}

// honest watches a daemon for that long: if events stop although every provider's state changes
// all the time, health must say so.
func (b *bench) honest(d *daemon, t *try, length time.Duration) {
	moved, seq, unwell := time.Now(), uint64(0), ""
	for end := time.Now().Add(length); time.Now().Before(end) && d.running(); {
		h := d.health()
		if h.err != nil {
			t.fault(stuck, "a plain read: %v", h.err)
			return
		}
		if h.seq != seq {
			moved, seq = time.Now(), h.seq
		}
		if h.status == 200 && time.Since(moved) > noticeTime {
			t.fault(unsaid, "nothing is saved for %s, but health is ok", noticeTime)
			return
		}
		if h.status != 200 {
			unwell = ill(h.checks)
		}
		b.wait(100 * time.Millisecond)
	}
	if unwell != "" {
		t.note = unwell
	}
}

// ill lists the checks that are not ok.
func ill(checks map[string]string) string {
	for name, says := range checks {
		if says != "ok" {
			return strings.TrimSpace(fmt.Sprintf("%s: %.110s", name, says))
		}
	}
	return ""
}

// recovers waits until a daemon is healthy and its events continue.
func (b *bench) recovers(d *daemon, t *try) {
	before := d.health()
	if !d.until(b, recoverTime, func() bool {
		h := d.health()
		return h.err == nil && h.status == 200 && h.seq > before.seq
	}) && d.running() {
		h := d.health()
		t.fault(stuck, "unhealthy %s after the trouble: health %d %v, at event %d, was at %d", recoverTime, h.status, h.checks, h.seq, before.seq)
	}
}
