package client

// A Look is a place where a daemon is looked for, and the result.
type Look struct {
	Path     string
	Variable string // that the path is from; empty: none
	Chosen   bool   // it is Client.Socket
	PID      int    // of the listener; 0: unknown
	UID      int    // of the listener; −1: unknown
	Err      error  // nil: somebody to be believed accepts connections there
}

// LookEverywhere tries each place once, in the order of [Client.Sockets], up to the first
// that accepts. It does not wait for a daemon.
func (c *Client) LookEverywhere() (all []Look) {
	for p := range c.places {
		l := Look{UID: -1, Path: p.path, Variable: p.name, Chosen: p.chosen}
		conn, err := dialOne(p)
		if err == nil {
			l.PID, l.UID = peerOf(conn)
			conn.Close()
			return append(all, l)
		}
		l.Err = misses{{p.path, p.name, err}}.failure()
		all = append(all, l)
	}
	return all
}
