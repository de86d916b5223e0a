package client

import (
	"bufio"
	"os"
	"strings"
)

// isListenedOn reports whether a process listens on a Unix socket that was bound to a path,
// wherever its file is now: proc_net(5), unix. That includes a daemon in a container that
// shares this network namespace.
func isListenedOn(path string) bool {
	f, err := os.Open("/proc/net/unix")
	if err != nil {
		return false
	}
	defer f.Close()
	const flags, listening, name = 3, "00010000", 7 // __SO_ACCEPTCON
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if !strings.HasSuffix(lines.Text(), path) {
			continue
		}
		fields := strings.SplitN(lines.Text(), " ", name+1)
		if len(fields) > name && fields[flags] == listening && strings.TrimSpace(fields[name]) == path {
			return true
		}
	}
	return false
}
