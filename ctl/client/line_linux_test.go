package client

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A client waits in the kernel for a place in a full queue, gets the one that becomes
// free, and gives up in time if none does.
func TestStandInLine(t *testing.T) {
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	at := &syscall.SockaddrUnix{Name: filepath.Join(dir, "s")}
	newSocket := func() int {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
		return fd
	}
	listener := newSocket()
	if err := syscall.Bind(listener, at); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(listener, 1); err != nil {
		t.Fatal(err)
	}
	for syscall.Connect(newSocket(), at) == nil { // until the queue is full
	}
	fd := newSocket()
	if err := standInLine(fd, at); err != syscall.EAGAIN {
		t.Fatalf("where nobody accepts: %v", err)
	}
	waits := make(chan error)
	go func() {
		err := standInLine(fd, at)
		for err == syscall.EAGAIN { // the machine is busy
			err = standInLine(fd, at)
		}
		waits <- err
	}()
	nc, _, err := syscall.Accept(listener)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(nc)
	if err := <-waits; err != nil {
		t.Errorf("when a place is free: %v", err)
	}
	if err := syscall.Connect(newSocket(), at); err != syscall.EAGAIN {
		t.Errorf("the place was not taken: %v", err)
	}
	if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0); errno != 0 || flags&syscall.O_NONBLOCK == 0 {
		t.Errorf("the connection would block: %#x, %v", flags, errno)
	}
}
