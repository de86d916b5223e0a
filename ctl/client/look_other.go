//go:build !unix

package client

import "errors"

// look trusts every place: neither owners nor listeners are told by a number here.
func (p place) look() (string, folder, error) { return p.path, folder{}, nil }

func (p place) believe(conn, folder) error { return nil }

func readService(string, int64) (text []byte, service uint32, err error) {
	return nil, 0, errors.ErrUnsupported
}
