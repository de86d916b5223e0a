package client_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// A client does not wait in the kernel for a daemon that is too busy to accept, because
// neither the patience nor the context would end that.
func TestClient_Dial_NeverBlocks(t *testing.T) {
	path := socketPath(t)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; { // until its queue is full
		var conn net.Conn
		if conn, err = net.Dial("unix", path); err == nil {
			defer conn.Close()
		}
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Fatal(err)
	}
	c := &client.Client{Socket: path, DialPatience: time.Millisecond}
	_, err = c.Daemon(t.Context())
	if e := wantCode(t, err, provider.DaemonUnreachable); e.Hint != "it is busy: try again" {
		t.Errorf("hint %q", e.Hint)
	}
}
