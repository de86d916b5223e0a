package systemd_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/systemd"
)

// TestTake runs itself with what a service manager gives: it can be taken once
// for each process only.
func TestTake(t *testing.T) {
	const inner = "SYSTEMD_TEST_TAKE"
	if os.Getenv(inner) != "" {
		tellTaken()
		return
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	f, err := socket.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, tt := range []struct{ name, env, want string }{
		{"Nothing", "", `"" 0s 0 sockets`},
		{"All", "NOTIFY_SOCKET=/run/x WATCHDOG_USEC=30000000 WATCHDOG_PID=$$ LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=x LISTEN_PIDFDID=1", `"/run/x" 30s 1 sockets`},
		{"Abstract", "NOTIFY_SOCKET=@x", `"@x" 0s 0 sockets`},
		{"AnothersWatchdog", "NOTIFY_SOCKET=@x WATCHDOG_USEC=30000000 WATCHDOG_PID=1", `"@x" 0s 0 sockets`},
		{"WatchdogOfAnybody", "NOTIFY_SOCKET=@x WATCHDOG_USEC=30000000", `"@x" 30s 0 sockets`},
		{"WatchdogThatHearsNothing", "WATCHDOG_USEC=30000000", `"" 0s 0 sockets`},
		{"WatchdogThatIsNoNumber", "NOTIFY_SOCKET=@x WATCHDOG_USEC=often", `"@x" 0s 0 sockets, problem`},
		{"AnothersSockets", "LISTEN_FDS=1 LISTEN_PID=1", `"" 0s 0 sockets`},
		{"SocketThatIsNoPath", "NOTIFY_SOCKET=vsock:2:1234", `"" 0s 0 sockets, problem`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The shell's number is the program's: exec keeps it.
			cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `exec env `+tt.env+` "$0" "$@"`, os.Args[0], "-test.run=^TestTake$")
			cmd.Env = append(os.Environ(), inner+"=1")
			if strings.Contains(tt.env, "LISTEN_PID=$$") {
				cmd.ExtraFiles = []*os.File{f}
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			taken, left, _ := strings.Cut(string(out), "\n")
			if taken != tt.want {
				t.Errorf("taken %s, want %s", taken, tt.want)
			}
			if left, _, _ := strings.Cut(left, "\n"); left != "left: " {
				t.Errorf("children inherit %s", left)
			}
		})
	}
}

func tellTaken() {
	g := systemd.Take()
	fmt.Printf("%q %s %d sockets", g.Notify, g.Watchdog, len(g.Sockets))
	if g.Problem != nil {
		fmt.Print(", problem")
	}
	// grep and readlink fail when they find nothing, as they should.
	child := exec.Command("/bin/sh", "-c", `env | grep -E '^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)'; readlink /proc/$$/fd/3`)
	out, _ := child.Output()
	fmt.Printf("\nleft: %s\n", strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " "))
}

func TestIsJournal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out, err := exec.Command("stat", "-L", "-c", "%d:%i", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), w.Fd())).Output()
	if err != nil {
		t.Skip(err)
	}
	t.Setenv("JOURNAL_STREAM", strings.TrimSpace(string(out)))
	if !systemd.IsJournal(w) {
		t.Error("it is not known")
	}
	if null, err := os.Open(os.DevNull); err != nil || systemd.IsJournal(null) {
		t.Errorf("another file passes for it: %v", err)
	} else {
		null.Close()
	}
	t.Setenv("JOURNAL_STREAM", "")
	if systemd.IsJournal(w) {
		t.Error("without the variable it is known")
	}
}
