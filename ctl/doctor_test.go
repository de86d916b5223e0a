package ctl_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/providerd/providerd/ctl"
)

// checked is the doctor's report with -o json.
type checked struct {
	Status   string
	Problems int
	Warnings int
	Checks   []struct {
		Subject, ID, Level, Summary string
		Details, Fix                []string
	}
	Providerd string
}

func (c checked) of(subject string) string {
	for _, check := range c.Checks {
		if check.Subject == subject || check.Subject == "provider" && check.ID == subject {
			return check.Level + ": " + check.Summary + " " + strings.Join(append(check.Details, check.Fix...), " ")
		}
	}
	return ""
}

func checkup(t *testing.T, d *daemon) (checked, int) {
	t.Helper()
	got := run(t.Context(), "--socket", d.socket, "doctor", "-o", "json")
	var c checked
	if err := json.Unmarshal([]byte(got.out), &c); err != nil {
		t.Fatalf("%v: %s%s", err, got.out, got.err)
	}
	return c, got.code
}

// An older daemon, from before the doctor, is examined as far as possible.
func TestDoctor_OldDaemon(t *testing.T) {
	d := startDaemon(t, map[string][]reply{
		"GET /api/daemon":           {ok(`{"version":"0.1.0","pid":7,"uptime_seconds":60,"providers":1,"config_path":"","state_path":"/nonexistent/d"}`)},
		"GET /healthz":              {refused(503, `{"status":"failing","checks":{"store":"no space left on device"}}`)},
		"GET /api/providers/status": {rows(`{"id":"p","state":"ERROR","reason":"unauthorized","hint":"set the key"}`)},
	})
	c, code := checkup(t, d)
	if code != 1 || c.Status != "fail" || c.Providerd != "0.1.0" {
		t.Errorf("exit %d, %+v", code, c)
	}
	for subject, want := range map[string]string{
		"daemon": "store: no space left", "rights": "too old to report", "configuration": "built-in", "versions": "0.1.0", "p": "set the key", "disk": "/nonexistent",
	} {
		if got := c.of(subject); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", subject, got, want)
		}
	}
}

// What passes by itself is not a problem: it exits 0, even with warnings.
func TestDoctor_WarningsAreNoProblem(t *testing.T) {
	d := startDaemon(t, map[string][]reply{
		"GET /api/daemon": {ok(`{"version":"0.1.0","providers":1,"config_path":"/c.toml","state_path":"` + t.TempDir() + `/d",
			"setup":{"system":true,"admin_group":"","caller":{"uid":1,"admin":false},"config":{"warnings":0,"faults":0},"keys":[],"proxies":{},"clock_jumped_ms":0}}`)},
		"GET /healthz":              {ok(`{"status":"ok","checks":{"store":"ok"}}`)},
		"GET /api/providers/status": {rows(`{"id":"p","state":"STOPPED","reason":"connection_refused","hint":"start it"}`)},
	})
	c, code := checkup(t, d)
	if code != 0 || c.Status != "warn" || c.Problems != 0 || c.Warnings == 0 {
		t.Errorf("exit %d, %+v", code, c)
	}
	if got := c.of("p"); !strings.HasPrefix(got, "warn: STOPPED") || !strings.Contains(got, "start it") {
		t.Errorf("p: %s", got)
	}
}

// A report for an issue names neither the person nor the machine, and its text cannot be
// markup. Without a screen nothing is wider than 80 columns, and in a C locale all is ASCII.
func TestDoctor_Formats(t *testing.T) {
	host, _ := os.Hostname()
	hint := `<b>|@somebody</b> ask ann at /home/ann/keys of ` + host + `, annually… ` + strings.Repeat("and on ", 30)
	d := startDaemon(t, map[string][]reply{
		"GET /api/daemon":           {ok(`{"version":"0.1.0","providers":1,"state_path":"/home/ann/d"}`)},
		"GET /healthz":              {ok(`{"status":"ok","checks":{}}`)},
		"GET /api/providers/status": {rows(`{"id":"p","state":"ERROR","reason":"unauthorized","hint":"` + hint + `"}`)},
	})
	env := map[string]string{"HOME": "/home/ann", "USER": "ann", "LC_ALL": "C"}
	as := func(format string) string {
		var out strings.Builder
		ctl.Main(t.Context(), ctl.Env{Args: []string{"--socket", d.socket, "doctor", "-o", format}, Stdout: &out, Stderr: &out,
			Getenv: environment(env), Version: "test"})
		return out.String()
	}
	paper := as("table")
	for line := range strings.Lines(paper) {
		if len(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if strings.ContainsFunc(paper, func(r rune) bool { return r > '~' }) || !strings.Contains(paper, "annual...") {
		t.Errorf("in a C locale:\n%s", paper)
	}
	issue := as("markdown")
	for _, name := range []string{"/home/ann", " ann ", "of " + host + ","} {
		if strings.Contains(issue, name) && name != "of localhost," {
			t.Errorf("%q is in\n%s", name, issue)
		}
	}
	for _, want := range []string{"`<b>\\|@somebody</b> ask USER at ~/keys of ", "annually…", "providerd `0.1.0`, providerctl `test`"} {
		if !strings.Contains(issue, want) {
			t.Errorf("%q is not in\n%s", want, issue)
		}
	}
}

// Without a daemon there is as much to report.
func TestDoctor_NoDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	got := run(t.Context(), "--socket", path, "doctor")
	if got.code != 1 || !strings.Contains(got.out, "the daemon is not running") || got.err != "" {
		t.Errorf("exit %d\n%s%s", got.code, got.out, got.err)
	}
	for _, subject := range []string{"configuration", "versions", "disk"} {
		if !strings.Contains(got.out, subject) {
			t.Errorf("nothing is said of %s:\n%s", subject, got.out)
		}
	}
	if got := run(t.Context(), "doctor", "ollama"); got.code != 2 {
		t.Errorf("with an argument: exit %d", got.code)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// What is wrong with the daemon does not hide that nobody could read it.
func TestDoctor_OutputIsLost(t *testing.T) {
	for _, format := range []string{"table", "json", "markdown"} {
		var said strings.Builder
		code := ctl.Main(t.Context(), ctl.Env{Args: []string{"--socket", filepath.Join(t.TempDir(), "s"), "doctor", "-o", format}, Stdout: fullDisk{}, Stderr: &said,
			Getenv: func(string) string { return "" }, Version: "test"})
		if code != 1 || !strings.Contains(said.String(), "no space left on device") {
			t.Errorf("%s: exit %d, %q", format, code, said.String())
		}
	}
}
