//go:build !unix

package client

import "net"

func connect(path string) (conn, error) {
	c, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	return named{c, path}, nil
}

type named struct {
	net.Conn
	path string
}

func (n named) Name() string { return n.path }
