package client

// A Look is a place where a daemon is looked for, and what came of it.
type Look struct {
	Path     string
	Variable string // that leads there; empty: none
	Chosen   bool   // it is Client.Socket
	PID      int    // of who listens; 0: not known
	Err      error  // nil: somebody to be believed accepts connections there
}

// LookEverywhere tries each place once, in the order of [Client.Sockets], as far as the
// first where somebody accepts. It waits for no daemon.
func (c *Client) LookEverywhere() (all []Look) {
	for p := range c.places {
		l := Look{Path: p.path, Variable: p.name, Chosen: p.chosen}
		conn, err := dialOne(p)
		if err == nil {
			l.PID = pidOf(conn)
			conn.Close()
			return append(all, l)
		}
		l.Err = misses{{p.path, p.name, err}}.failure()
		all = append(all, l)
	}
	return all
}
