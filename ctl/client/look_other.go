//go:build !unix

package client

import "net"

// look trusts every place: neither owners nor listeners are told by a number here.
func (p place) look() (string, folder, error) { return p.path, folder{}, nil }

func (p place) believe(net.Conn, folder) error { return nil }
