//go:build unix

package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A shownPage is a running dashboard.
type shownPage struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *os.File // the end of its standard output that we read
	lines *bufio.Reader
	talk  lockedBuffer
}

// show starts "providerctl dashboard", which prepare can change before.
func show(t *testing.T, socket string, prepare func(*exec.Cmd), args ...string) *shownPage {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // in case it never ends
	s := &shownPage{t: t, out: out, lines: bufio.NewReader(out)}
	s.cmd = exec.CommandContext(ctx, program("providerctl"), append([]string{"--socket", socket, "dashboard"}, args...)...)
	s.cmd.Stdout, s.cmd.Stderr = in, &s.talk
	if prepare != nil {
		prepare(s.cmd)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() {
		cancel()
		_ = s.cmd.Wait()
		out.Close()
	})
	return s
}

var addressLine = regexp.MustCompile(`^http://127\.0\.0\.1:[0-9]+/[0-9A-Z]{26}/\n$`)

// address is the line that it prints.
func (s *shownPage) address() string {
	s.t.Helper()
	line, err := s.lines.ReadString('\n')
	if err != nil || !addressLine.MatchString(line) {
		s.t.Fatalf("it printed %q (%v) and says %q", line, err, &s.talk)
	}
	return strings.TrimSpace(line)
}

// ends waits for its end, and checks that it printed no more and listens no more.
func (s *shownPage) ends(code int, address string) {
	s.t.Helper()
	_ = s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("it ends with %v, want exit code %d; it says %q", s.cmd.ProcessState, code, &s.talk)
	}
	if rest, _ := io.ReadAll(s.lines); len(rest) > 0 {
		s.t.Errorf("it printed more: %q", rest)
	}
	if u, err := url.Parse(address); err == nil {
		if c, err := net.Dial("tcp", u.Host); err == nil {
			c.Close()
			s.t.Errorf("%s still accepts connections", u.Host)
		}
	}
}

// One line is printed, with the address. Each way to end it is orderly.
func TestDashboard_NoOpen(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*shownPage){
		"Interrupt": func(s *shownPage) { s.cmd.Process.Signal(os.Interrupt) },
		"Terminate": func(s *shownPage) { s.cmd.Process.Signal(syscall.SIGTERM) },
		"HangUp":    func(s *shownPage) { s.cmd.Process.Signal(syscall.SIGHUP) },
		"Unread":    func(s *shownPage) { s.out.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := show(t, "/nowhere/s", nil, "--no-open")
			address := s.address()
			resp, err := http.Get(address)
			if err != nil || resp.StatusCode >= 600 {
				t.Fatalf("%v %v", resp, err)
			}
			resp.Body.Close()
			end(s)
			_ = s.cmd.Wait()
			if s.talk.String() != "" {
				t.Errorf("it says %q", &s.talk)
			}
			s.ends(0, address)
		})
	}
	t.Run("For", func(t *testing.T) {
		t.Parallel()
		s := show(t, "/nowhere/s", nil, "--no-open", "--for", "300ms")
		s.ends(0, s.address())
	})
	t.Run("NobodyCanRead", func(t *testing.T) {
		t.Parallel()
		s := show(t, "/nowhere/s", func(cmd *exec.Cmd) {
			closed, err := os.Open("/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closed.Close() })
			cmd.Stdout = closed // which cannot be written
		}, "--no-open")
		_ = s.cmd.Wait()
		if s.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(s.talk.String(), "print the address") {
			t.Errorf("it ends with %v and says %q", s.cmd.ProcessState, &s.talk)
		}
	})
	t.Run("PortInUse", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		s := show(t, "/nowhere/s", nil, "--no-open", "--port", port)
		_ = s.cmd.Wait()
		if s.cmd.ProcessState.ExitCode() != 2 || !strings.Contains(s.talk.String(), "another program listens at port "+port) || !strings.Contains(s.talk.String(), "hint: ") {
			t.Errorf("it ends with %v and says %q", s.cmd.ProcessState, &s.talk)
		}
	})
}

// A page that knows only the refresh contract works through the forwarded API: it refreshes
// all providers, or one that it names in the query, in the body or in both, takes the fields
// of the answer, and reads the rows a moment later.
func TestDashboard_ClientContract(t *testing.T) {
	t.Parallel()
	p := newProcess(t, patiently+"[[provider]]\nid = \"lab\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:1\"\n"+
		"[[provider]]\nid = \"desk:a\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:1\"\n").start()
	s := show(t, p.socket, nil, "--no-open")
	api := s.address() + "api/providers/"
	for name, tc := range map[string]struct{ query, body, id string }{
		"All":       {"", "", ""},
		"AllNull":   {"", `{"provider_id":null}`, ""},
		"ByQuery":   {"?provider_id=lab", "", "lab"},
		"ByBody":    {"", `{"provider_id":"lab"}`, "lab"},
		"ByBoth":    {"?provider_id=lab", `{"provider_id":"lab"}`, "lab"},
		"WithColon": {"?provider_id=" + url.QueryEscape("desk:a"), `{"provider_id":"desk:a"}`, "desk:a"},
	} {
		req, err := http.NewRequest("POST", api+"refresh"+tc.query, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Providerd", "1")
		var reply provider.RefreshReply
		if status := fetchJSON(t, req, &reply); status != 202 {
			t.Fatalf("%s: %d", name, status)
		}
		scope := "all"
		if tc.id != "" {
			scope = ""
		}
		if reply.Status != "refresh_triggered" || reply.Scope != scope || reply.ProviderID != tc.id || reply.Generation == 0 || reply.Message == "" {
			t.Errorf("%s: %+v", name, reply)
		}
		// The page reads the rows after a second. Here it reads until the probe is over.
		req, _ = http.NewRequest("GET", api+"status", nil)
		p.until(func() bool {
			var rows provider.StatusReply
			if status := fetchJSON(t, req, &rows); status != 200 || len(rows.Providers) != 2 {
				t.Fatalf("%s: status %d, %+v", name, status, rows)
			}
			for _, row := range rows.Providers {
				if (tc.id == "" || tc.id == row.ID) && row.Generation < reply.Generation {
					return false
				}
			}
			return true
		})
	}
	// An error has the daemon's own form.
	req, _ := http.NewRequest("POST", api+"refresh?provider_id=nope", nil)
	req.Header.Set("X-Providerd", "1")
	var refusal provider.ErrorReply
	if status := fetchJSON(t, req, &refusal); status != 404 || refusal.Error.Code != provider.UnknownProvider || refusal.Error.Hint == "" {
		t.Errorf("an unknown one: %d %+v", status, refusal.Error)
	}
}

func fetchJSON(t *testing.T, req *http.Request, v any) int {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatalf("%s %s: %s: %v", req.Method, req.URL, resp.Status, err)
	}
	return resp.StatusCode
}
