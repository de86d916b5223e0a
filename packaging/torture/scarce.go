//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// stormRole is the variable that makes this program connect and close all the time.
const stormRole = "TORTURE_STORM"

// descriptors starts a daemon with 60 providers that may have 24 descriptors. It must say so,
// blame no provider, and recover once it may have more.
func descriptors(b *bench, t *try) error {
	server := steady()
	defer server.Close()
	d, err := b.newDaemon(t.dir, watching(60, server.URL))
	if err != nil {
		return err
	}
	defer d.kill()
	d.before = []string{"/bin/sh", "-c", `ulimit -n 24 && exec "$0" "$@"`}
	if err := d.start(b); err != nil {
		return err
	}
	said := ""
	if !d.until(b, noticeTime, func() bool {
		h := d.health()
		if h.err != nil {
			t.fault(stuck, "a plain read: %v", h.err)
		}
		said = ill(h.checks)
		return h.status == 503
	}) {
		t.fault(unsaid, "health is ok despite 24 descriptors for 60 providers")
	}
	t.note = said
	var reply provider.StatusReply
	if _, err := d.get("/api/providers/status", &reply); err != nil {
		return err
	}
	for _, row := range reply.Providers {
		if row.State == provider.StateStopped || row.State == provider.StateError || row.State == provider.StateDegraded {
			t.fault(wrong, "%s is blamed: %s %s %s", row.ID, row.State, row.Reason, row.Detail)
		}
	}
	if !d.log.warned(0) {
		t.fault(unsaid, "the log has no line of it")
	}
	more := unix.Rlimit{Cur: 4096, Max: 4096}
	if err := unix.Prlimit(d.cmd.Process.Pid, unix.RLIMIT_NOFILE, &more, nil); err != nil {
		return d.term() // it needs CAP_SYS_RESOURCE
	}
	if !d.until(b, 4*recoverTime, func() bool {
		running := 0
		_, _ = d.get("/api/providers/status", &reply)
		for _, row := range reply.Providers {
			if row.State == provider.StateRunning {
				running++
			}
		}
		return running == 60 && d.health().status == 200
	}) {
		t.fault(stuck, "unhealthy %s after the limit was raised: %v", 4*recoverTime, d.health().checks)
	}
	return d.term()
}

// storming measures fresh clients while eight processes connect and close.
func storming(b *bench, t *try) error {
	server := steady()
	defer server.Close()
	d, err := b.newDaemon(t.dir, watching(5, server.URL))
	if err != nil {
		return err
	}
	defer d.kill()
	if err := d.start(b); err != nil {
		return err
	}
	calm := d.freshClients(b, time.Second)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for range 8 {
		c := exec.Command(self)
		c.Env = append(os.Environ(), stormRole+"="+d.socket)
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := c.Start(); err != nil {
			return err
		}
		defer func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		}()
	}
	worst := d.freshClients(b, 5*time.Second)
	if len(calm) == 0 || len(worst) == 0 {
		return fmt.Errorf("no fresh client was answered")
	}
	t.note = fmt.Sprintf("a fresh client waits %s at the median, %s at most; without the storm %s",
		worst[len(worst)/2].Round(100*time.Microsecond), worst[len(worst)-1].Round(time.Millisecond),
		calm[len(calm)/2].Round(100*time.Microsecond))
	if slowest := worst[len(worst)-1]; slowest > answerTime {
		t.fault(stuck, "a fresh client waited %s", slowest)
	}
	return d.term()
}

// freshClients is how long clients take to connect, ask and close, sorted.
func (d *daemon) freshClients(b *bench, span time.Duration) (took []time.Duration) {
	for end := time.Now().Add(span); time.Now().Before(end) && b.ctx.Err() == nil; {
		began := time.Now()
		if _, err := d.get("/api/providers/p0", nil); err == nil {
			took = append(took, time.Since(began))
		}
		d.http.CloseIdleConnections()
	}
	slices.Sort(took)
	return took
}

// storm connects and closes until it is killed.
func storm(socket string) {
	for {
		if c, err := net.Dial("unix", socket); err == nil {
			_ = c.Close()
		}
	}
}
