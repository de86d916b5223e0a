//go:build unix

package socket_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/providerd/providerd/daemon/socket"
)

// A watcher that never rests only sees the socket with its final mode, and a file that is created
// meanwhile has the umask of the process.
func TestListen_IsBornWithItsMode(t *testing.T) {
	for _, umask := range []int{0o000, 0o077} {
		for _, mode := range []os.FileMode{0o666, 0o660, 0o600} {
			t.Run(fmt.Sprintf("Umask%03oMode%03o", umask, mode), func(t *testing.T) {
				old := syscall.Umask(umask)
				defer syscall.Umask(old)
				path := socketPath(t)
				mkdir(t, filepath.Dir(path), 0o700)
				for range 20 {
					stop, seen := make(chan struct{}), make(chan map[os.FileMode]bool)
					go watch(path, stop, seen)
					l, err := socket.Listen(path, mode)
					close(stop)
					modes := <-seen
					if err != nil {
						t.Fatal(err)
					}
					if len(modes) != 1 || !modes[mode] {
						t.Errorf("modes seen: %v, want %04o alone", modes, mode)
					}
					l.Close()
				}
				if now := syscall.Umask(umask); now != umask {
					t.Errorf("the umask is %04o", now)
				}
			})
		}
	}
}

// watch collects the modes of path until stop is closed, including the last one.
func watch(path string, stop <-chan struct{}, seen chan<- map[os.FileMode]bool) {
	modes := map[os.FileMode]bool{}
	look := func() {
		if info, err := os.Lstat(path); err == nil {
			modes[info.Mode().Perm()] = true
		}
	}
	for {
		select {
		case <-stop:
			look()
			seen <- modes
			return
		default:
			look()
		}
	}
}
