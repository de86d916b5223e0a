package systemd

import (
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Take reads what the service manager passed to this process, and removes it from the
// environment, so that no child can speak for us. Call it once, before starting a child.
func Take() Given {
	// Newer versions of systemd set it too; activation.Files does not know it.
	defer os.Unsetenv("LISTEN_PIDFDID")
	g := Given{Notify: os.Getenv("NOTIFY_SOCKET"), Sockets: activation.Files(true)}
	os.Unsetenv("NOTIFY_SOCKET")
	g.Watchdog, g.Problem = daemon.SdWatchdogEnabled(true)
	if g.Notify != "" && g.Notify[0] != '/' && g.Notify[0] != '@' {
		g.Problem = fmt.Errorf("NOTIFY_SOCKET is %q, neither a path nor an abstract name", g.Notify)
		g.Notify = ""
	}
	if g.Notify == "" {
		g.Watchdog = 0 // nobody listens
	}
	return g
}

// IsJournal reports whether f is connected to the journal. Source: systemd.exec(5),
// JOURNAL_STREAM.
func IsJournal(f *os.File) bool {
	stream := os.Getenv("JOURNAL_STREAM")
	if stream == "" {
		return false
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false
	}
	return stream == fmt.Sprintf("%d:%d", uint64(st.Dev), st.Ino)
}

// monotonicUsec is the assignment that tells this reload from one that the manager asks
// for later.
func monotonicUsec() string { return daemon.SdNotifyMonotonicUsec() }
