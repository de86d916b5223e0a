// Package scarce deals with what this process may run out of, open files above all. It
// allots them in advance, so that probes never take what the control socket needs; it
// keeps a few in reserve, so that the socket answers even if none are left; and it
// remembers shortages, so that health can report them. A shortage here says nothing
// about a provider.
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

// Is reports whether err means that this machine, or this process, has run out of files,
// socket buffers or memory.
func Is(err error) bool {
	return err != nil && slices.ContainsFunc(exhausted, func(e error) bool { return errors.Is(err, e) })
}

// IsTold is Is for a text, which is all that package net keeps of some errors.
func IsTold(text string) bool {
	return slices.ContainsFunc(exhausted, func(e error) bool { return strings.Contains(text, e.Error()) })
}

// Now returns why no file can be opened; nil if one can.
func Now() error {
	f, err := os.Open(os.DevNull)
	if err != nil {
		if Is(err) {
			return err
		}
		return nil // the file does not exist, which is no shortage
	}
	return f.Close()
}

// lastsFor is how long a shortage is reported after it last occurred: longer than the
// interval between attempts, and short enough for its end to show soon.
const lastsFor = 30 * time.Second

// A Shortage remembers that something ran out. Its zero value is ready to use, and it is
// safe for concurrent use.
type Shortage struct {
	mu    sync.Mutex
	at    time.Time
	doing string
	err   error
}

// Met notes that err, a shortage, prevented something, such as "a probe of ollama".
func (s *Shortage) Met(doing string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.doing, s.err = time.Now(), doing, err
}

// Problem says what ran out recently and what to do about it; empty if nothing did.
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

// Cure says what to do about an error for which [Is] returns true.
func Cure(err error) string {
	switch {
	case errors.Is(err, syscall.ENFILE):
		return "this machine has reached its limit of open files: raise fs.file-max with sysctl, or find the programs that hold them"
	case errors.Is(err, syscall.EMFILE):
		return fmt.Sprintf("raise the limit of %d open files: LimitNOFILE= of the service, or ulimit -n", Limit())
	case errors.Is(err, syscall.EAGAIN):
		return "raise the limit on processes and threads: TasksMax= of the service, or ulimit -u"
	}
	return "this machine is out of memory"
}
