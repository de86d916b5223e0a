package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// From before the daemon starts until it answers, a busy watcher sees its socket with a
// single mode, and its folder never writable by others.
func TestDoors_TheSocketsModeHoldsFromTheStart(t *testing.T) {
	needRoot(t)
	for _, umask := range []int{0o000, 0o077} {
		for uid, want := range map[uint32]os.FileMode{0: 0o666, daemonUID: 0o600} {
			t.Run(fmt.Sprintf("UID%dUmask%03o", uid, umask), func(t *testing.T) {
				p := newProcessOf(t, alone(uid), "[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n")
				run := filepath.Join(p.dir, "run")
				os.Remove(run)
				chown(t, p.dir, uid) // who makes the folder
				socket, folder := watchModes(p.socket), watchModes(run)
				old := syscall.Umask(umask)
				defer syscall.Umask(old)
				p.start()
				if modes := socket(); len(modes) != 1 || !modes[want] {
					t.Errorf("the socket's modes were %v, want %04o alone", modes, want)
				}
				modes := folder()
				if len(modes) == 0 {
					t.Error("the folder was not seen")
				}
				for mode := range modes {
					if mode&0o022 != 0 {
						t.Errorf("the folder had the mode %04o", mode)
					}
				}
			})
		}
	}
}

// watchModes starts to watch path. The function that it returns ends that, and returns
// every mode that was seen, including the last one.
func watchModes(path string) func() map[os.FileMode]bool {
	stop, seen := make(chan struct{}), make(chan map[os.FileMode]bool)
	go func() {
		modes := map[os.FileMode]bool{}
		for last := false; !last; {
			select {
			case <-stop:
				last = true
			default:
			}
			if info, err := os.Lstat(path); err == nil {
				modes[info.Mode().Perm()] = true
			}
		}
		seen <- modes
	}()
	return func() map[os.FileMode]bool {
		close(stop)
		return <-seen
	}
}
