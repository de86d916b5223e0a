//go:build unix

package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A reader is a providerctl that follows, and what it prints.
type reader struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *os.File // what it writes to; once closed, nobody reads it
	lines *bufio.Scanner
	talk  lockedBuffer
}

// read starts providerctl, whose stdout is a pipe.
func (p *process) read(t *testing.T, args ...string) *reader {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // in case it never ends
	r := &reader{t: t, out: out, lines: bufio.NewScanner(out), cmd: exec.CommandContext(ctx, program("providerctl"), append([]string{"--socket", p.socket}, args...)...)}
	r.cmd.Stdout, r.cmd.Stderr = in, &r.talk
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() {
		cancel()
		_ = r.cmd.Wait()
		out.Close()
	})
	return r
}

// line is the next line that it prints.
func (r *reader) line() string {
	r.t.Helper()
	if !r.lines.Scan() {
		r.t.Fatalf("it printed no more lines; %s", &r.talk)
	}
	return r.lines.Text()
}

// ends waits for its end, and checks the exit code.
func (r *reader) ends(code int) {
	r.t.Helper()
	_ = r.cmd.Wait()
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		r.t.Errorf("%v ends with %v, want exit code %d; it says %q", r.cmd.Args[3:], r.cmd.ProcessState, code, &r.talk)
	}
}

// A fickle is a server that can be switched up and down.
type fickle struct {
	*httptest.Server
	down atomic.Bool
}

func startFickle(t *testing.T) *fickle {
	f := &fickle{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if f.down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fickle) config() string {
	return patiently + fmt.Sprintf("interval = \"1s\"\nfall = 1\n[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = %q\n", f.URL)
}

// A follower of events sees each change once, in order, across daemons that are killed in
// the middle, and exits 0 when asked to end.
func TestFollow_OverKills(t *testing.T) {
	t.Parallel()
	server := startFickle(t)
	p := newProcess(t, server.config()).start()
	var row provider.Status
	p.until(func() bool { return p.do("GET", "/api/providers/a", &row) == 200 && row.State == provider.StateRunning })
	follower := p.read(t, "events", "-f", "-n", "1", "-o", "json")
	var seen []provider.Event
	next := func() {
		var e provider.Event
		if err := json.Unmarshal([]byte(follower.line()), &e); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, e)
	}
	next() // it is RUNNING
	for kill := range 4 {
		server.down.Store(kill%2 == 0)
		if kill%2 == 0 {
			next() // the change, and then a kill
			p.kill()
			p.start()
			continue
		}
		p.kill() // a kill, and then the change
		p.start()
		next()
	}
	if err := follower.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	follower.ends(0)
	for i, e := range seen[1:] {
		if want := seen[i].To; e.Seq != seen[i].Seq+1 || e.From != want || e.To == want {
			t.Errorf("after %+v it saw %+v", seen[i], e)
		}
	}
	if said := follower.talk.String(); strings.Count(said, "waiting for the daemon to return") == 0 || strings.Contains(said, "hint") {
		t.Errorf("it says %q", said)
	}
}

// If the database is another one after a restart, the old numbers mean nothing: a follower
// gets a gap, and then what the next daemon sees.
func TestFollow_IntoANewDatabase(t *testing.T) {
	server := startFickle(t)
	p := newProcess(t, server.config()).start()
	follower := p.read(t, "events", "--follow", "--since", "0", "-o", "json")
	line := func() (l struct {
		provider.StreamNote
		To provider.State
	}) {
		if err := json.Unmarshal([]byte(follower.line()), &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	before := line()
	for before.To != provider.StateRunning {
		before = line()
	}
	p.kill()
	if err := os.RemoveAll(filepath.Join(p.dir, "state")); err != nil {
		t.Fatal(err)
	}
	server.down.Store(true)
	p.start()
	gap := line()
	if gap.Type != provider.NoteGap || gap.First != before.Seq+1 || gap.Seq < gap.First {
		t.Errorf("after event %d it is told %+v", before.Seq, gap)
	}
	after := line()
	for after.To == provider.StateUnknown {
		after = line()
	}
	if after.To == provider.StateRunning || after.Seq <= gap.Seq {
		t.Errorf("after %+v it is told %+v", gap, after)
	}
	if err := follower.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	follower.ends(0)
	if said := follower.talk.String(); !strings.Contains(said, "its database was replaced") {
		t.Errorf("it says %q", said)
	}
}

// A follower of the log continues with that of the next daemon.
func TestFollow_TheLogOverAKill(t *testing.T) {
	p := newProcess(t, startFickle(t).config()).start()
	follower := p.read(t, "logs", "-f", "-o", "json")
	until := func(text string) {
		for !strings.Contains(follower.line(), text) {
			continue
		}
	}
	p.do("POST", "/api/providers/a/pause", nil)
	until("paused provider: a")
	p.kill()
	p.start()
	p.do("POST", "/api/providers/a/resume", nil)
	until("resumed provider: a")
	if err := follower.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	follower.ends(0)
}

// A reader that goes away is noticed at once, even if there is nothing to write or the
// daemon is away. That is not a failure.
func TestFollow_UntilNobodyReads(t *testing.T) {
	t.Parallel()
	server := startFickle(t)
	quiet := strings.ReplaceAll(server.config(), `"1s"`, `"10m"`)
	for _, args := range []string{"events -f -n 1", "logs -f", "logs -f -o json", "status --watch", "status --watch -o json", "events -f -n 1 a"} {
		for _, away := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/away=%v", args, away), func(t *testing.T) {
				t.Parallel()
				p := newProcess(t, quiet)
				p.level = "info"
				p.start()
				var row provider.Status
				p.until(func() bool { return p.do("GET", "/api/providers/a", &row) == 200 && row.State == provider.StateRunning })
				r := p.read(t, strings.Fields(args)...)
				r.line()
				if away {
					p.kill()
					p.until(func() bool { return strings.Contains(r.talk.String(), "waiting for the daemon") })
				}
				r.out.Close()
				r.ends(0) // which waits for less than the ten minutes until something is written
			})
		}
	}
}
