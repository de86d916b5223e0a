package listener

import (
	"sync"
	"time"
)

// A Process is a process in our PID namespace. Its zero value is none.
type Process struct {
	PID     int
	started uint64 // in clock ticks since the boot, so that a reused PID is another process
}

// Exists reports whether the process still runs. A zombie does not.
func (p Process) Exists() bool { return p.PID > 0 && startOf(p.PID) == p.started }

// MayExist is like Exists but costs only one system call: another process may have the PID
// by now, or the process may be a zombie.
func (p Process) MayExist() bool { return p.PID > 0 && isTaken(p.PID) }

// rereadAfter is how old the list of holders may grow. Reading it takes milliseconds if there
// are thousands of processes, so a caller whose socket is not in it yet has to ask again
// later.
const rereadAfter = 5 * time.Second

// Processes finds the process behind a socket. Its zero value is ready to use, by several
// goroutines.
type Processes struct {
	mu      sync.Mutex
	read    time.Time
	holders map[uint64]int // by inode; only of processes that this user may inspect
}

// Holding returns the process that holds a socket of this machine. It returns the zero
// Process if that is unknown, because it belongs to another user or because the socket is
// only seconds old. Of several, as for a server with workers, it returns the oldest; but never
// process 1, which holds sockets that it made for others.
func (ps *Processes) Holding(inode uint64) Process {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if now := time.Now(); ps.read.IsZero() || now.Sub(ps.read) >= rereadAfter {
		ps.read, ps.holders = now, readHolders()
		time.AfterFunc(rereadAfter, ps.forget)
	}
	return processOf(ps.holders[inode])
}

// forget drops the list when it is too old to be used again. On a busy machine it is large,
// and after the first sweep it may not be needed for hours.
func (ps *Processes) forget() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if time.Since(ps.read) >= rereadAfter {
		ps.holders = nil
	}
}

// processOf is the process that has the PID now; the zero Process if there is none.
func processOf(pid int) Process {
	if started := startOf(pid); started != 0 {
		return Process{PID: pid, started: started}
	}
	return Process{}
}
