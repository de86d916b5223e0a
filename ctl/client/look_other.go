//go:build !unix

package client

// look trusts every place: neither owners nor listeners are told by a number here.
func (p place) look() (string, folder, error) { return p.path, folder{}, nil }

func (p place) believe(conn, folder) error { return nil }
