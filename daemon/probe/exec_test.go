//go:build !windows

package probe_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// run runs a plug-in once.
func run(ctx context.Context, t *testing.T, timeout time.Duration, command ...string) probe.Observation {
	t.Helper()
	p := config.Provider{ID: "x", Kind: "exec", Type: provider.Generic, BaseURL: "exec:" + command[0], Endpoint: "exec:" + command[0], Command: command, Timeout: timeout}
	pr, err := probe.New(&p, probe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	return pr.Probe(ctx, probe.Ask{Facts: true})
}

func script(t *testing.T, text string) probe.Observation {
	t.Helper()
	return run(t.Context(), t, patient, "/bin/sh", "-c", text)
}

func TestExec_ReturnCodes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, script string
		saw          provider.Reason
		detail       string
	}{
		{"OK", "echo LOAD OK; exit 0", provider.OK, "LOAD OK"},
		{"Warning", "echo LOAD WARNING; exit 1", provider.CheckWarning, "LOAD WARNING"},
		{"Critical", "echo LOAD CRITICAL; exit 2", provider.CheckCritical, "LOAD CRITICAL"},
		{"Unknown", "echo LOAD UNKNOWN; exit 3", provider.CheckUnknown, "LOAD UNKNOWN"},
		{"AnyOther", "echo what; exit 4", provider.CheckUnknown, "exit status 4: what"},
		{"NotFoundByAShell", "exit 127", provider.CheckUnknown, "exit status 127"},
		{"Negative", "exit 255", provider.CheckUnknown, "exit status 255"},
		{"Signal", "echo before; kill -SEGV $$", provider.CheckUnknown, "signal: segmentation fault: before"},
		{"SilentAndWell", "exit 0", provider.OK, ""},
		{"SilentAndIll", "exit 2", provider.CheckCritical, "exit status 2"},
		{"Perfdata", "echo 'LOAD OK - 0.1 | load1=0.1;5;10'", provider.OK, "LOAD OK - 0.1"},
		{"LongOutput", `printf '\n LOAD OK \n0.1\n0.2 | a=1\n'`, provider.OK, "LOAD OK"},
		{"CarriageReturn", `printf 'LOAD OK\r\nmore'`, provider.OK, "LOAD OK"},
		{"Terminal", `printf 'LOAD \033[31mOK\007'`, provider.OK, "LOAD [31mOK"},
		{"ComplaintOnStderrAlone", "echo usage >&2; exit 1", provider.CheckWarning, "exit status 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := script(t, tt.script)
			if o.Saw != tt.saw || o.Detail != tt.detail {
				t.Errorf("saw %s %q, want %s %q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if o.Latency == 0 || o.PortListening != nil || o.APIResponding != nil {
				t.Errorf("latency %s, port listening %v, responding %v", o.Latency, o.PortListening, o.APIResponding)
			}
		})
	}
}

func TestExec_Evidence(t *testing.T) {
	t.Parallel()
	o := run(t.Context(), t, patient, "/bin/sh", "-c", "echo LOAD CRITICAL; echo cannot read >&2; exit 2")
	if len(o.Evidence.Checks) != 1 {
		t.Fatalf("checks %+v", o.Evidence.Checks)
	}
	c := o.Evidence.Checks[0]
	if c.Asked != "run /bin/sh with 2 arguments" || c.Answer != "exit status 2: LOAD CRITICAL" || c.Error != "cannot read" {
		t.Errorf("check %+v", c)
	}
}

// A usage text or log line that repeats the arguments shows no secret.
func TestExec_KeepsSecretsOfItsArguments(t *testing.T) {
	t.Parallel()
	o := run(t.Context(), t, patient, "/bin/sh", "-c", `echo "LOGIN $*"; echo "sh $*" >&2; exit 2`, "sh",
		"-H", "db.example", "--password", "open sesame", "--token=test-of-nobody", "http://me:pass-of-nobody@h/")
	const want = "LOGIN -H db.example --password *** --token=*** http://me:***@h/"
	if o.Saw != provider.CheckCritical || o.Detail != want {
		t.Errorf("saw %s %q, want %q", o.Saw, o.Detail, want)
	}
	if text := fmt.Sprintf("%+v", o); strings.Contains(text, "sesame") || strings.Contains(text, "of-nobody") {
		t.Errorf("a secret in %s", text)
	}
}

func TestExec_Output(t *testing.T) {
	t.Parallel()
	t.Run("LongLineIsCut", func(t *testing.T) {
		t.Parallel()
		o := script(t, "head -c 100000 /dev/zero | tr '\\0' x; exit 1")
		if o.Saw != provider.CheckWarning || len(o.Detail) != 200 {
			t.Errorf("saw %s, %d bytes", o.Saw, len(o.Detail))
		}
	})
	t.Run("MuchIsReadToTheEnd", func(t *testing.T) {
		t.Parallel()
		o := script(t, "echo LOAD OK; head -c 500000 /dev/zero; head -c 500000 /dev/zero >&2; exit 0")
		if o.Saw != provider.OK || o.Detail != "LOAD OK" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
	for name, text := range map[string]string{"Endless": "exec cat /dev/zero", "EndlessComplaint": "exec cat /dev/zero >&2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := script(t, text)
			if o.Saw != provider.CheckUnknown || o.Detail != "it wrote more than 1 MiB" {
				t.Errorf("saw %s %q", o.Saw, o.Detail)
			}
		})
	}
}

// A plug-in gets the same environment whoever started the daemon.
func TestExec_Surroundings(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "test-key-of-nobody")
	for _, tt := range []struct {
		name    string
		command []string
		want    string
	}{
		{"Environment", []string{"/usr/bin/env", "-0"}, "PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8"},
		{"WorkingDirectory", []string{"/bin/sh", "-c", "pwd"}, "/"},
		{"NothingToRead", []string{"/bin/sh", "-c", "read line || echo the end"}, "the end"},
		{"ItsOwnGroup", []string{"/bin/sh", "-c", "kill -0 -$$ && echo leader"}, "leader"},
		{
			"ArgumentsAsTheyAre", []string{"/bin/sh", "-c", `printf '<%s>' "$@"`, "sh", "a b", "", "$HOME", "*", `"`, "; exit 2"},
			`<a b><><$HOME><*><"><; exit 2>`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if o := run(t.Context(), t, patient, tt.command...); o.Saw != provider.OK || o.Detail != tt.want {
				t.Errorf("saw %s %q, want %q", o.Saw, o.Detail, tt.want)
			}
		})
	}
}

func TestExec_CannotBeRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, orphan := filepath.Join(dir, "plain"), filepath.Join(dir, "orphan")
	for path, mode := range map[string]os.FileMode{plain: 0o644, orphan: 0o755} {
		if err := os.WriteFile(path, []byte("#!/nowhere/perl\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, path string
		saw        provider.Reason
		detail     string
	}{
		{"Missing", filepath.Join(dir, "missing"), provider.NotFound, "/missing: no such file or directory"},
		{"NotExecutable", plain, provider.Forbidden, "/plain: permission denied"},
		{"Folder", dir, provider.Forbidden, ": permission denied"},
		{"InterpreterMissing", orphan, provider.NotFound, "/orphan: the interpreter named in its first line does not exist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := run(t.Context(), t, patient, tt.path)
			for strings.Contains(o.Detail, syscall.ETXTBSY.Error()) {
				// Another test forked while the file was being written, and its child still
				// holds it open (go.dev/issue/22315).
				o = run(t.Context(), t, patient, tt.path)
			}
			if o.Saw != tt.saw || !strings.HasSuffix(o.Detail, tt.detail) {
				t.Errorf("saw %s %q, want %s …%q", o.Saw, o.Detail, tt.saw, tt.detail)
			}
			if c := o.Evidence.Checks; len(c) != 1 || c[0].Error != o.Detail {
				t.Errorf("checks %+v", c)
			}
		})
	}
}

// A lifeline is a pipe that a plug-in and its children hold open: it ends when the last of
// them is gone.
type lifeline struct {
	t    *testing.T
	path string
	ours *os.File // a hold of the test's own: without one the pipe would end before it began
	*bufio.Reader
}

func newLifeline(t *testing.T) *lifeline {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lifeline")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	ours, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := f.SetReadDeadline(time.Now().Add(patient)); err != nil {
		t.Fatal(err)
	}
	return &lifeline{t: t, path: path, ours: ours, Reader: bufio.NewReader(f)}
}

// held is a script that opens the lifeline and continues with text.
func (l *lifeline) held(text string) string { return fmt.Sprintf("exec 3>%q; %s", l.path, text) }

func (l *lifeline) wantEnd() {
	l.t.Helper()
	l.ours.Close()
	if rest, err := io.ReadAll(l.Reader); err != nil {
		l.t.Errorf("something lives: %q, %v", rest, err)
	}
}

// stubborn does not end by itself, nor when asked to.
const stubborn = "trap '' TERM INT HUP; (trap '' TERM; sleep 1000) & sleep 1000 & echo up >&3; wait"

func TestExec_Ends(t *testing.T) {
	t.Parallel()
	t.Run("AtTheDeadline", func(t *testing.T) {
		t.Parallel()
		l := newLifeline(t)
		o := run(t.Context(), t, brief, "/bin/sh", "-c", l.held(stubborn))
		if o.Saw != provider.CheckUnknown || o.Detail != "it did not end within 2s, and was killed" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
		l.wantEnd()
	})
	t.Run("WithItsCaller", func(t *testing.T) {
		t.Parallel()
		l := newLifeline(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		probed := make(chan probe.Observation, 1)
		go func() { probed <- run(ctx, t, time.Hour, "/bin/sh", "-c", l.held(stubborn)) }()
		l.wantLine("up\n")
		cancel()
		if o := <-probed; o.Saw != "" || o.Detail != "aborted: context canceled" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
		l.wantEnd()
	})
	t.Run("BeforeItBegan", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if o := run(ctx, t, patient, "/bin/sh", "-c", "exit 2"); o.Saw != "" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
	})
	t.Run("WithWhatItLeavesBehind", func(t *testing.T) {
		t.Parallel()
		l := newLifeline(t)
		o := run(t.Context(), t, time.Hour, "/bin/sh", "-c", l.held("sleep 1000 & echo LOAD OK"))
		if o.Saw != provider.OK || o.Detail != "LOAD OK" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
		l.wantEnd()
	})
	t.Run("WithWhatItLeavesBehindInSilence", func(t *testing.T) {
		t.Parallel()
		l := newLifeline(t)
		if o := run(t.Context(), t, time.Hour, "/bin/sh", "-c", l.held("sleep 1000 >/dev/null 2>&1 & exit 1")); o.Saw != provider.CheckWarning {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
		l.wantEnd()
	})
	t.Run("ThoughAnotherSessionHoldsItsPipes", func(t *testing.T) {
		t.Parallel()
		l := newLifeline(t)
		o := run(t.Context(), t, time.Hour, "/bin/sh", "-c", l.held(`mkfifo "$0.gone"; setsid sh -c 'echo $$ >&3; echo >"$0.gone"; exec sleep 1000' "$0" & read x <"$0.gone"; echo LOAD OK`), l.path)
		if o.Saw != provider.OK || o.Detail != "LOAD OK" {
			t.Errorf("saw %s %q", o.Saw, o.Detail)
		}
		line, err := l.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("what has a session of its own is not ours to end: %v", err)
		}
		l.wantEnd()
	})
}

func (l *lifeline) wantLine(want string) {
	l.t.Helper()
	if line, err := l.ReadString('\n'); line != want {
		l.t.Errorf("read %q, %v", line, err)
	}
}

func TestExec_Configuration(t *testing.T) {
	t.Parallel()
	kind := kindNamed(t, "exec")
	for _, tt := range []struct {
		command []string
		address string
		problem string
	}{
		{[]string{"/usr/bin/check", "-p", "test-key-of-nobody"}, "exec:/usr/bin/check", ""},
		{[]string{"/opt/a b%/c?#"}, "exec:/opt/a%20b%25/c%3F%23", ""},
		{[]string{"check_load"}, "exec:/check_load", "command: the program is not an absolute path"},
		{[]string{""}, "exec:/", "command: the program is not an absolute path"},
		{nil, "exec:", "command: it is missing"},
	} {
		p := &config.Provider{Command: tt.command}
		if address := kind.Address(p); address != tt.address {
			t.Errorf("%q is at %s, want %s", tt.command, address, tt.address)
		}
		problem := ""
		if err := kind.Check(p); err != nil {
			problem = err.Error()
		}
		if problem != tt.problem {
			t.Errorf("%q: %q, want %q", tt.command, problem, tt.problem)
		}
	}
}

func kindNamed(t *testing.T, name string) config.Kind {
	t.Helper()
	for _, k := range probe.Kinds() {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no kind %s", name)
	return config.Kind{}
}
