package ctl_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	enter = "\x1b[?1049h\x1b[?25l"
	leave = "\x1b[H\x1b[J\x1b[?25h\x1b[?1049l"
)

// pictures are what the screen showed, one after the other, without cursor movements, and
// with the clock at 00:00:00.
func pictures(shown *screen) (all []string) {
	text := strings.ReplaceAll(shown.String(), "\r\n", "\n")
	text = strings.NewReplacer(enter, "", "\x1b[K", "", "\x1b[J", "").Replace(strings.ReplaceAll(text, leave, ""))
	text = regexp.MustCompile(`\d\d:\d\d:\d\d`).ReplaceAllString(text, "00:00:00")
	for picture := range strings.SplitSeq(text, "\x1b[H") {
		if picture != "" {
			all = append(all, picture)
		}
	}
	return all
}

func last(all []string) string { return all[len(all)-1] }

func statusOf(rows ...string) reply {
	return ok(`{"ts":"2026-01-02T03:04:05.000Z","seq":3,"providers":[` + strings.Join(rows, ",") + `]}`)
}

func up(id string) string { return `{"id":"` + id + `","state":"RUNNING","reason":"ok"}` }

func down(id string) string {
	return `{"id":"` + id + `","state":"STOPPED","reason":"connection_refused","hint":"start it"}`
}

// It uses the whole screen, groups the rows by what they need, marks what changed, and
// restores the screen.
func TestTerminal_Watch(t *testing.T) {
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/status": {statusOf(up("a"), down("b"), up("c")), statusOf(up("a"), down("b"), down("c"))},
		followFrom3:                 {following(`{"seq":4,"id":"c"}`)},
	})
	file, shown := openTerminal(t, 60, 20)
	talk, end := watchingOn(t, d, file, "-o", "table")
	shown.await(t.Context(), t, "2 stopped", 1)
	if code := end(); code != 0 || talk.String() != "" {
		t.Errorf("exit code %d, %q", code, talk)
	}
	shown.await(t.Context(), t, leave, 1)
	got := shown.String()
	if !strings.HasPrefix(got, enter) || !strings.HasSuffix(got, leave) || strings.Count(got, enter) != 1 || strings.Count(got, leave) != 1 {
		t.Errorf("the screen is not left as it was: %q", got)
	}
	const color = `\x1b\[\d*m`
	plain := func(s string) string { return regexp.MustCompile(color).ReplaceAllString(s, "") }
	all := pictures(shown)
	if got, want := plain(all[0]), `00:00:00  3 providers: 2 usable, 1 stopped

  ID  STATE    REASON              LATENCY  AGE
usable (2)
  a   RUNNING  ok                        -  -
  c   RUNNING  ok                        -  -
stopped (1)
  b   STOPPED  connection_refused        -  -

  b  start it`; got != want {
		t.Errorf("first:\n%s", got)
	}
	if got, want := plain(last(all)), `00:00:00  3 providers: 1 usable, 2 stopped

  ID  STATE    REASON              LATENCY  AGE
usable (1)
  a   RUNNING  ok                        -  -
stopped (2)
  b   STOPPED  connection_refused        -  -
* c   STOPPED  connection_refused        -  -

  b  start it
  c  start it`; got != want {
		t.Errorf("last:\n%s", got)
	}
}

// No picture is larger than the screen, however small, and it has what matters most: what
// can be used is left out first.
func TestTerminal_WatchKeepsWithinTheScreen(t *testing.T) {
	var rows []string
	for i := range 60 {
		rows = append(rows, up(fmt.Sprintf("p%02d", i)))
	}
	rows[40], rows[50] = down("p40"), down("p50")
	for name, tc := range map[string]struct {
		columns, lines uint16
		args           string
		want           string
	}{
		"Usual":   {80, 24, "", "\n  … 45 more\n\n  p40  start it\n  p50  start it"},
		"Narrow":  {20, 24, "", "\nstopped (2)\n  p40  STOPPED\n  p50  STOPPED\nusable (58)\n  p00  RUNNING\n"},
		"Low":     {80, 6, "", "60 providers: 58 usable, 2 stopped\n  ID   STATE    REASON              LATENCY  AGE\n  p40  STOPPED  connection_refused        -  -\n  p50  STOPPED"},
		"Three":   {80, 3, "", "LATENCY  AGE\n  p40  STOPPED"},
		"OneLine": {80, 1, "", "00:00:00  60 providers: 58 usable, 2 stopped"},
		"Wide":    {33, 8, "-o wide", "\n  ID        p40\n  STATE     STOPPED\n  REASON    connection_refused\n  HINT      start it\n\n  ID        p50\n  …"},
		"Sorted":  {80, 8, "--sort id", "\n  p00  RUNNING"},
		"Chosen":  {80, 8, "--problems", "2 of 60 providers, all stopped\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {statusOf(rows...)}, followFrom3: {following()}})
			file, shown := openTerminal(t, tc.columns, tc.lines)
			_, end := watchingOn(t, d, file, strings.Fields(tc.args)...)
			shown.await(t.Context(), t, "\x1b[J", 1)
			end()
			got := regexp.MustCompile(`\x1b\[\d*m`).ReplaceAllString(pictures(shown)[0], "")
			lines := strings.Split(got, "\n")
			if len(lines) > int(tc.lines) || !strings.Contains(got, tc.want) {
				t.Errorf("%d lines of %d:\n%s\nwant %s", len(lines), tc.lines, got, tc.want)
			}
			for _, line := range lines {
				if len([]rune(line)) > int(tc.columns) {
					t.Errorf("%d columns where %d fit: %q", len([]rune(line)), tc.columns, line)
				}
			}
		})
	}
}

// While the daemon is away the screen says so, and shows what was known.
func TestTerminal_WatchSaysThatTheDaemonIsAway(t *testing.T) {
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/status": {statusOf(up("a")), statusOf(down("a"))},
		followFrom3:                 {stream(`{"type":"end","reason":"shutting_down","seq":3}`), following()},
	})
	file, shown := openTerminal(t, 120, 20)
	talk, end := watchingOn(t, d, file)
	shown.await(t.Context(), t, "STOPPED", 1)
	if end(); talk.String() != "" {
		t.Errorf("over the picture: %q", talk)
	}
	all := pictures(shown)
	if !strings.HasPrefix(all[1], "00:00:00  the daemon has been away since 00:00:00, waiting for it: the daemon is shutting down\n") || !strings.Contains(all[1], "usable (1), stale") {
		t.Errorf("%q", all)
	}
	if strings.Contains(last(all), "away") {
		t.Errorf("%q", last(all))
	}
}

// What cannot be shown leaves the screen alone, and is an error as usual.
func TestTerminal_WatchOfNothing(t *testing.T) {
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/status?provider_id=nope": {refused(404, unknownID)},
		"GET /api/providers/status":                  {statusOf(up("a")), refused(500, `{"error":{"code":"internal","message":"it broke"}}`)},
		followFrom3:                                  {following(`{"seq":4,"id":"a"}`)},
	})
	file, shown := openTerminal(t, 80, 20)
	talk, end := watchingOn(t, d, file, "nope")
	talk.await(t.Context(), t, "no such provider", 1)
	if code := end(); code != 5 || shown.String() != "" {
		t.Errorf("exit code %d: %q", code, shown)
	}
	talk, end = watchingOn(t, d, file)
	talk.await(t.Context(), t, "it broke", 1)
	if code := end(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	shown.await(t.Context(), t, leave, 1)
}

// If a filter leaves no row, a message is in its place, and a row that matches later is
// shown.
func TestTerminal_WatchOfNoRow(t *testing.T) {
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/status": {statusOf(up("a"), up("b")), statusOf(up("a"), down("b"))},
		followFrom3:                 {following(`{"seq":4,"id":"b"}`)},
	})
	file, shown := openTerminal(t, 80, 20)
	_, end := watchingOn(t, d, file, "--problems")
	shown.await(t.Context(), t, "STOPPED", 1)
	end()
	if all := pictures(shown); !strings.Contains(all[0], "no problem: 2 providers, all usable") || !strings.Contains(last(all), "* b") {
		t.Errorf("%q", all)
	}
}

// resize gives a terminal another size.
func resize(t *testing.T, terminal *os.File, columns, lines uint16) {
	t.Helper()
	conn, err := terminal.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Control(func(fd uintptr) {
		if err := unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: lines, Col: columns}); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each new size is drawn at once, not at the next tick of the clock, and without a request
// to the daemon, even if that is away.
func TestTerminal_WatchFollowsTheSize(t *testing.T) {
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {statusOf(up("a"), up("b"))}, followFrom3: {following()}})
	file, shown := openTerminal(t, 80, 20)
	_, end := watchingOn(t, d, file)
	shown.await(t.Context(), t, "LATENCY", 1)
	d.stop()
	shown.await(t.Context(), t, "the daemon has been away since", 1)
	const heading, clock = "the daemon has been away since", len("15:04:05  ")
	began := len(shown.String())
	for length := 1; length < len(heading); length++ {
		resize(t, file, uint16(clock+length+1), 20)
		// The test is not in this terminal's foreground, so the kernel signals another process.
		if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
			t.Fatal(err)
		}
		shown.await(t.Context(), t, "  "+heading[:length]+"…", 1)
	}
	end()
	// The clock makes one picture a second. There are as many more as there were sizes,
	// however long those took.
	clocks := regexp.MustCompile(`\d\d:\d\d:\d\d`).FindAllString(shown.String()[began:], -1)
	seconds := map[string]bool{}
	for _, at := range clocks {
		seconds[at] = true
	}
	if drawn := len(clocks) - len(seconds); drawn < len(heading)/2 {
		t.Errorf("%d sizes made %d pictures more than one a second", len(heading)-1, drawn)
	}
}
