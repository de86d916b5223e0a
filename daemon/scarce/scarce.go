// Package scarce is about what this process may run out of, open files above all. It
// deals them out beforehand, so that probes never take what the control socket needs;
// it keeps a few back, so that the socket answers all the same; and it remembers that
// something ran out, so that health can say so. That something ran out here says
// nothing of a provider.
//
// It imports the standard library and golang.org/x/sys.
package scarce

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Is reports whether err says that this machine, or this process, has no more open
// files, sockets' buffers or memory to give.
func Is(err error) bool {
	return err != nil && slices.ContainsFunc(exhausted, func(e error) bool { return errors.Is(err, e) })
}

// IsTold is Is for a text: package net keeps of some errors no more than that.
func IsTold(text string) bool {
	return slices.ContainsFunc(exhausted, func(e error) bool { return strings.Contains(text, e.Error()) })
}

// Now returns why no file can be opened; nil when one can.
func Now() error {
	f, err := os.Open(os.DevNull)
	if err != nil {
		if Is(err) {
			return err
		}
		return nil // it is not there, which is another matter
	}
	return f.Close()
}

// lastsFor is how long a shortage is told after it was met last: longer than it takes
// until whatever met it is tried again, and short enough to believe that it is over.
const lastsFor = 30 * time.Second

// A Shortage remembers that something ran out. Its zero value is ready to use, by
// many goroutines at once.
type Shortage struct {
	mu    sync.Mutex
	at    time.Time
	doing string
	err   error
}

// Met notes that something ran out while something was done, such as "a probe of
// ollama".
func (s *Shortage) Met(doing string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.doing, s.err = time.Now(), doing, err
}

// Problem says what ran out lately, or has run out now, and what to do about it; empty
// when nothing did.
func (s *Shortage) Problem() string {
	if err := Now(); err != nil {
		s.Met("opening a file", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil || time.Since(s.at) >= lastsFor {
		return ""
	}
	return fmt.Sprintf("%s: %v: %s", s.doing, s.err, Cure(s.err))
}

// Cure says what to do about an error for which [Is] holds.
func Cure(err error) string {
	switch {
	case errors.Is(err, syscall.ENFILE):
		return "all of this machine's files are open: raise fs.file-max with sysctl, or find who has them"
	case errors.Is(err, syscall.EMFILE):
		return fmt.Sprintf("raise the limit of %d open files: LimitNOFILE= of the service, or ulimit -n", Limit())
	case errors.Is(err, syscall.EAGAIN):
		return "raise the limit on processes and threads: TasksMax= of the service, or ulimit -u"
	}
	return "this machine is out of memory for it"
}
