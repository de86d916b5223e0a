package listener

// ReadReply is readReply, for answers that no socket of a test gives.
var ReadReply = readReply

// Remembered is how many sockets are remembered with their processes.
func (ps *Processes) Remembered() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.holders)
}
