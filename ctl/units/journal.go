package units

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// journalLines is how many of a unit's last lines are shown when it fails.
const journalLines = 10

// A Journal is the last lines of a unit, as far as the caller may read them.
type Journal struct {
	Lines  []string
	Hidden bool   // the caller may not read them
	Line   string // the command that shows more
}

// lag is how long the journal may take to write what it was sent.
const lag = 100 * time.Millisecond

// Read reads what the unit, which stands so, has said since a time.
func Read(ctx context.Context, u Unit, s Standing, since time.Time) Journal {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-time.After(lag):
	case <-ctx.Done():
	}
	option := "--unit="
	if u.User {
		option = "--user-unit="
	}
	j := Journal{Line: u.sudo() + "journalctl " + option + provider.ShellWord(u.Name)}
	args := []string{"--lines=" + strconv.Itoa(journalLines), "--since=@" + strconv.FormatFloat(float64(since.UnixMilli())/1000, 'f', 3, 64), "--no-pager", "--output=cat"}
	out, complaint, _, err := run(ctx, nil, "journalctl", append(u.entries(option, s), args...)...)
	if err != nil {
		return j
	}
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && line != "-- No entries --" {
			j.Lines = append(j.Lines, line)
		}
	}
	// Systemd itself writes a line about each start. A user who sees none may not read it, and
	// journalctl does not always say so.
	mayNot := !u.User && os.Geteuid() != 0 || strings.Contains(complaint, "insufficient permissions")
	j.Hidden = len(j.Lines) == 0 && mayNot
	return j
}

// entries select the entries of a unit. In those of a user, the last words of a process that has
// ended may lack the unit, because the journal does not believe what a user's systemd says and
// finds the process gone. Its number is left.
func (u Unit) entries(option string, s Standing) []string {
	if !u.User || s.LastPID == 0 {
		return []string{option + u.Name}
	}
	own := "_UID=" + strconv.Itoa(os.Getuid())
	return []string{
		"_SYSTEMD_USER_UNIT=" + u.Name, own, "+", "USER_UNIT=" + u.Name, own, "+", "_PID=" + strconv.Itoa(s.LastPID), own,
	}
}
