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
	out, complaint, _, err := run(ctx, nil, "journalctl", append(u.entries(s), args...)...)
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

// entries select what journalctl --unit or --user-unit selects, and what the last process wrote.
// Its last words may lack the unit, because the journal finds the process gone when it reads them,
// and believes no process, nor a user's systemd, what its unit is.
func (u Unit) entries(s Standing) []string {
	all := []string{"_SYSTEMD_UNIT=" + u.Name, "+", "UNIT=" + u.Name, "_UID=0"}
	var own []string
	if u.User {
		own = []string{"_UID=" + strconv.Itoa(os.Getuid())}
		all = []string{"_SYSTEMD_USER_UNIT=" + u.Name, own[0], "+", "USER_UNIT=" + u.Name, own[0]}
	}
	if s.LastPID > 0 {
		all = append(append(all, "+", "_PID="+strconv.Itoa(s.LastPID)), own...)
	}
	return all
}
