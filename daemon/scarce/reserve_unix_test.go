//go:build unix

package scarce_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/scarce"
)

// With every file open, a client is accepted with one of the reserve, a command
// borrows some, and when the reserve is empty a connection is closed that can be done
// without.
func TestReserve_WhenFilesHaveRunOut(t *testing.T) {
	if !inChild(t) {
		return
	}
	dir, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	inner, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		t.Skip(err)
	}
	reserve := scarce.NewReserve(scarce.Shares{Conns: 2}) // three files
	reserve.Refill()
	var accepted []net.Conn
	closeOne := func() bool { return accepted[0].Close() == nil }
	l := scarce.Wrap(inner, "accepting a client", reserve, nil, closeOne)

	dialled := make(chan net.Conn)
	for range 5 {
		go func() {
			c, err := net.Dial("unix", filepath.Join(dir, "s"))
			if err != nil {
				t.Error(err)
			}
			dialled <- c
		}()
		c := <-dialled // in the backlog: nobody accepted it yet
		defer c.Close()
	}
	var taken []*os.File
	for scarce.Now() == nil {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		taken = append(taken, f)
	}
	reserve.Lend(2, func() {
		if f, err := os.Open(os.DevNull); err != nil {
			t.Errorf("nothing is lent: %v", err)
		} else {
			f.Close()
		}
	})
	if scarce.Now() == nil {
		t.Error("what was lent was not given back")
	}
	for i := range 5 { // three of the reserve, then in the place of the first
		c, err := l.Accept()
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		accepted = append(accepted, c)
		if i >= 3 {
			accepted = accepted[1:] // closed
		}
	}
	waited := make(chan error)
	go func() { // nobody comes: no connection is closed for that
		_, err := l.Accept()
		waited <- err
	}()
	time.AfterFunc(time.Second, func() { l.Close() })
	if err := <-waited; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	for i, c := range accepted {
		if err := c.Close(); err != nil {
			t.Errorf("connection %d was closed for nobody: %v", i, err)
		}
	}
	reserve.Refill()
	if !reserve.Release() {
		t.Error("the reserve does not refill")
	}
	for _, f := range taken {
		f.Close()
	}
	reserve.Close()
}

// Where connections are few there is a file for each and one to turn a further one
// away with, or the daemon does not start: followers never give theirs back.
func TestReserve_HasAFileForEachClient(t *testing.T) {
	if !inChild(t) {
		return
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		limit uint64
		left  int // files, when all is open that must be
		well  bool
	}{
		{13, 2, false}, {13, 3, false}, {13, 4, true},
		{24, 6, false}, {24, 7, true},
		{1024, 1, false}, {1024, 2, true},
	} {
		var taken []*os.File
		for scarce.Now() == nil {
			f, err := os.Open(os.DevNull)
			if err != nil {
				break
			}
			taken = append(taken, f)
		}
		for _, f := range taken[:c.left] {
			f.Close()
		}
		reserve := scarce.NewReserve(scarce.Deal(c.limit))
		if err := reserve.Refill(); (err == nil) != c.well {
			t.Errorf("a limit of %d, and %d files left: %v", c.limit, c.left, err)
		}
		reserve.Close()
		for _, f := range taken[c.left:] {
			f.Close()
		}
	}
}

// inChild reports whether this is a process of the test's own, which it makes if not:
// the limit is the whole process's.
func inChild(t *testing.T) bool {
	const mark = "SCARCE_TEST_CHILD"
	if os.Getenv(mark) != "" {
		return true
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), mark+"=1")
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}
