package listener

import (
	"sync"
	"time"
)

// A Process is one of this process's PID namespace. Its zero value is none.
type Process struct {
	PID     int
	started uint64 // in clock ticks since the machine booted, so that a PID used again is another process
}

// Exists reports whether the process still runs. One that ended and was not waited
// for by its parent does not.
func (p Process) Exists() bool { return p.PID > 0 && startOf(p.PID) == p.started }

// MayExist is Exists for a system call alone: another process may have the PID by now,
// or the one that ended was not waited for yet.
func (p Process) MayExist() bool { return p.PID > 0 && isTaken(p.PID) }

// rereadAfter is how old what was read of all processes may be. Reading takes
// milliseconds where there are thousands of them, so who asks for a socket that is
// not in it yet has to ask again later.
const rereadAfter = 5 * time.Second

// Processes finds the process behind a socket. Its zero value is ready; its methods
// may be called by several goroutines.
type Processes struct {
	mu      sync.Mutex
	read    time.Time
	holders map[uint64]int // by inode; of the sockets of processes that this user may look at
}

// Holding returns the process that holds a socket of this machine, and the zero
// Process where that is not known: it is another user's, and this one may not look,
// or the socket is some seconds old. Of several, as of a server with workers, it is
// the oldest, but not the first process of the machine, which holds sockets that it
// made for others.
func (ps *Processes) Holding(inode uint64) Process {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if now := time.Now(); ps.read.IsZero() || now.Sub(ps.read) >= rereadAfter {
		ps.read, ps.holders = now, readHolders()
		time.AfterFunc(rereadAfter, ps.forget)
	}
	return processOf(ps.holders[inode])
}

// forget drops what was read, which on a busy machine is much, when it is too old to be
// used again. After the first look at everybody, nobody may ask for hours.
func (ps *Processes) forget() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if time.Since(ps.read) >= rereadAfter {
		ps.holders = nil
	}
}

// processOf is the process that has the PID now; the zero Process for none.
func processOf(pid int) Process {
	if started := startOf(pid); started != 0 {
		return Process{PID: pid, started: started}
	}
	return Process{}
}
