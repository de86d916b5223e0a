package units

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// journalLines is how many of a unit's last lines are shown when it fails.
const journalLines = 10

// A Journal is the last lines of a unit, as far as the caller may read them.
type Journal struct {
	Lines  []string
	Hidden bool   // the caller may not read them
	Line   string // the command that shows more
}

// Read reads what the unit has said since a time.
func Read(ctx context.Context, u Unit, since time.Time) Journal {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	option := "--unit="
	if u.User {
		option = "--user-unit="
	}
	j := Journal{Line: u.sudo() + "journalctl " + option + u.Name}
	out, complaint, _, err := run(ctx, nil, "journalctl", option+u.Name, "--lines="+strconv.Itoa(journalLines),
		"--since=@"+strconv.FormatInt(since.Unix(), 10), "--no-pager", "--output=cat")
	if err != nil {
		return j
	}
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && line != "-- No entries --" {
			j.Lines = append(j.Lines, line)
		}
	}
	j.Hidden = len(j.Lines) == 0 && (strings.Contains(complaint, "not seeing messages") || strings.Contains(complaint, "insufficient permissions"))
	return j
}
