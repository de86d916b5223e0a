package socket

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// Closed connections are only accepted if they have sent something, and during a storm not even
// then.
func TestListener_PassesOverWhoHasGone(t *testing.T) {
	dir, err := os.MkdirTemp("", "ps")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "c", "s")
	l, err := Listen(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := func(send string, stay bool) {
		nc, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(nc, send); err != nil {
			t.Fatal(err)
		}
		if !stay {
			nc.Close()
			return
		}
		t.Cleanup(func() { nc.Close() })
	}
	accepted := func() string {
		t.Helper()
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetReadDeadline(time.Now().Add(time.Minute))
		said := make([]byte, 20)
		n, err := nc.Read(said)
		if err != nil {
			t.Fatal(err)
		}
		return string(said[:n])
	}
	dial("", false)
	dial("went", false)
	dial("", false)
	dial("stays", true)
	if first, second := accepted(), accepted(); first != "went" || second != "stays" {
		t.Errorf("accepted %q, then %q", first, second)
	}
	for range stormGone {
		dial("", false)
	}
	dial("went", false)
	dial("stays", true)
	if got := accepted(); got != "stays" {
		t.Errorf("accepted %q in a storm", got)
	}
}

// A storm shortens the queue, once, and a second without one makes it long again.
func TestQueue_IsShortInAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		q := queue{resize: func(n int) { sizes = append(sizes, n) }}
		see := func(n int, gone bool) (storm bool) {
			for range n {
				storm = q.saw(gone)
			}
			return storm
		}
		expect := func(when string, want ...int) {
			t.Helper()
			synctest.Wait()
			q.mu.Lock() // which the resizes are made under
			defer q.mu.Unlock()
			if !slices.Equal(sizes, want) {
				t.Fatalf("%s: the queue was made %v, want %v", when, sizes, want)
			}
		}
		if see(stormGone-1, true) || see(5000, false) {
			t.Error("many clients are taken for a storm")
		}
		expect("many clients")
		time.Sleep(2 * time.Second)
		for range 100 { // as a program that looks whether somebody listens
			see(10, true)
			time.Sleep(time.Second)
		}
		expect("some that look")
		for range 20 {
			if !see(10*stormGone, true) {
				t.Error("a storm is not noticed")
			}
			time.Sleep(900 * time.Millisecond)
		}
		expect("a storm", stormBacklog)
		time.Sleep(2 * time.Second)
		expect("the calm after it", stormBacklog, longestBacklog)
		see(stormGone, true)
		expect("another", stormBacklog, longestBacklog, stormBacklog)
		q.close()
		time.Sleep(2 * time.Second)
		expect("the end", stormBacklog, longestBacklog, stormBacklog)
	})
}

// The queue of a socket can be changed while it listens.
func TestResizer(t *testing.T) {
	dir, err := os.MkdirTemp("", "ps")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	ul, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ul.Close()
	resize := resizer(ul)
	open := 0
	fill := func() int {
		for {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { unix.Close(fd) })
			if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err == unix.EAGAIN || open > 200 {
				return open
			} else if err != nil {
				t.Fatal(err)
			}
			open++
		}
	}
	resize(16)
	if n := fill(); n < 16 || n > 17 {
		t.Errorf("%d wait in a queue of 16", n)
	}
	resize(longestBacklog)
	if n := fill(); n < 100 { // as many as the system allows
		t.Errorf("%d wait in the longest queue", n)
	}
}
