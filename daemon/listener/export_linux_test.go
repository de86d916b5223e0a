package listener

// ReadReply is readReply, for answers that a test cannot provoke.
var ReadReply = readReply

// Remembered is the number of sockets that are remembered with their processes.
func (ps *Processes) Remembered() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.holders)
}
