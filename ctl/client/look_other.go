//go:build !unix

package client

// look trusts every place: owners and listeners have no numbers here.
func (p place) look() (string, folder, error) { return p.path, folder{}, nil }

func (p place) believe(conn, folder) error { return nil }
