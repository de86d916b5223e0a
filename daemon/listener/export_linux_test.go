package listener

import "github.com/providerd/providerd/store/sockdiag"

// ReadReply reads an answer of the kernel, for answers that a test cannot provoke.
func ReadReply(b []byte) (Socket, error) { return socketOf(sockdiag.Read(b)) }

// Remembered is the number of sockets that are remembered with their processes.
func (ps *Processes) Remembered() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.holders)
}
