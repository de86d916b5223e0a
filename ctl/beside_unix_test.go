//go:build unix

package ctl_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl"
)

// An install is a folder with bin/providerctl and programs beside it. It remembers how the
// last one was run.
type install struct {
	dir           string
	argv, environ []string
	searches      int // how often providerctl asked where it is
}

func newInstall(t *testing.T, programs ...string) *install {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := &install{dir: dir}
	for _, program := range append(programs, "bin/providerctl") {
		path := filepath.Join(dir, program)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755), os.Chmod(path, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func (in *install) run(t *testing.T, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	in.argv, in.environ = nil, nil
	code := ctl.Main(t.Context(), ctl.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Getenv: environment(nil),
		Environ: func() []string { return []string{"A=b", "PROVIDERD_SOCKET=old", "PROVIDERCTL=old"} },
		Executable: func() (string, error) {
			in.searches++
			return filepath.Join(in.dir, "bin", "providerctl"), nil
		},
		Exec: func(argv, environ []string) (int, error) {
			in.argv, in.environ = argv, environ
			return 42, nil
		},
	})
	return result{out.String(), err.String(), code}
}

// A program gets the global flags that stand before its name as they are, then the rest.
func TestBeside_Arguments(t *testing.T) {
	in := newInstall(t, "bin/providerctl-hello", "libexec/providerd/providerctl-far", "bin/providerctl-top", "libexec/providerd/providerctl-hello", "bin/providerctl-status")
	for line, want := range map[string]string{
		"hello":                            "bin/providerctl-hello",
		"hello a --flag -- x":              "bin/providerctl-hello a --flag -- x",
		"hello --socket T":                 "bin/providerctl-hello --socket T",
		"--socket S hello -x":              "bin/providerctl-hello --socket S -x",
		"--socket=S --color never hello a": "bin/providerctl-hello --socket=S --color never a",
		"far top":                          "libexec/providerd/providerctl-far top",
		"help far":                         "libexec/providerd/providerctl-far --help",
		"far --help":                       "libexec/providerd/providerctl-far --help",
		"-h far":                           "libexec/providerd/providerctl-far -h",
		"far __complete x":                 "libexec/providerd/providerctl-far __complete x",
		"__complete --socket S top --x":    "bin/providerctl-top __complete --socket S --x",
		"__completeNoDesc top --watch 1 --socket": "bin/providerctl-top __completeNoDesc --watch 1 --socket",
	} {
		t.Run(line, func(t *testing.T) {
			in.run(t, strings.Fields(line)...).want(t, 42, "", "")
			if diff := cmp.Diff(strings.Fields(in.dir+"/"+want), in.argv); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBeside_Environment(t *testing.T) {
	in := newInstall(t, "bin/providerctl-hello")
	for socket, want := range map[string][]string{
		"":      {"A=b", "PROVIDERD_SOCKET=old", "PROVIDERCTL=" + in.dir + "/bin/providerctl"},
		"/s/ s": {"A=b", "PROVIDERCTL=" + in.dir + "/bin/providerctl", "PROVIDERD_SOCKET=/s/ s"},
	} {
		in.run(t, "--socket", socket, "hello").want(t, 42, "", "")
		if diff := cmp.Diff(want, in.environ); diff != "" {
			t.Errorf("--socket %q: %s", socket, diff)
		}
	}
}

// What is not run says why, and what to type.
func TestBeside_Refused(t *testing.T) {
	in := newInstall(t, "bin/providerctl-hello", "bin/providerctl-open", "bin/providerctl-plain", "bin/providerctl-Big", "bin/providerctl-folder/x", "other/providerctl-other", "bin/providerctl-status")
	if err := errors.Join(os.Chmod(in.dir+"/bin/providerctl-open", 0o757), os.Chmod(in.dir+"/bin/providerctl-plain", 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", in.dir+"/other:"+os.Getenv("PATH"))
	for line, tc := range map[string]struct {
		code int
		says string
	}{
		"open":            {4, "not run: DIR/bin/providerctl-open can be written by everybody (mode 0757)\nproviderctl: hint: chmod o-w DIR/bin/providerctl-open\n"},
		"plain":           {4, "not run: DIR/bin/providerctl-plain is not executable\nproviderctl: hint: chmod +x DIR/bin/providerctl-plain\n"},
		"other":           {2, "no such command: \"other\""}, // it is only in PATH
		"Big":             {2, "no such command: \"Big\""},
		"folder":          {2, "no such command: \"folder\""},
		"../other/x":      {2, "no such command: \"../other/x\""},
		"-- hello":        {2, "no such command: \"hello\""},
		"helo":            {2, "hint: did you mean: providerctl hello, providerctl help\n"},
		"top":             {2, "providerctl-top is not installed\nproviderctl: hint: install the package of providerd"},
		"help dashboard":  {2, "providerctl-dashboard is not installed\n"},
		"dashbord":        {2, "hint: did you mean: providerctl dashboard\n"},
		"--colour hello":  {2, "no such flag: --colour\n"},
		"--color x hello": {2, "--color cannot be \"x\""},
		"status --bad":    {2, "status: no such flag: --bad"}, // nothing hides a command
	} {
		t.Run(line, func(t *testing.T) {
			in.run(t, strings.Fields(line)...).want(t, tc.code, "", strings.ReplaceAll(tc.says, "DIR", in.dir))
			if in.argv != nil {
				t.Errorf("it ran %q", in.argv)
			}
		})
	}
}

// Help and completion list the programs that may be run, and run none of them.
func TestBeside_Listed(t *testing.T) {
	in := newInstall(t, "bin/providerctl-hello", "libexec/providerd/providerctl-top", "bin/providerctl-open", "bin/providerctl-status", "bin/providerctl-")
	if err := os.Chmod(in.dir+"/bin/providerctl-open", 0o757); err != nil {
		t.Fatal(err)
	}
	help := in.run(t, "help")
	help.want(t, 0, "  hello       Run "+in.dir+"/bin/providerctl-hello\n", "")
	help.want(t, 0, "  top         Watch all providers on the full screen, and act on them\n", "")
	help.want(t, 0, "  status      Show the status of each provider\n", "")
	if strings.Contains(help.out, "open") && strings.Contains(help.out, "Run "+in.dir+"/bin/providerctl-open") || strings.Contains(help.out, "providerctl-status") {
		t.Errorf("the help lists too much:\n%s", help.out)
	}
	in.run(t, "watch").want(t, 2, "", "hint: did you mean: providerctl events, providerctl top, providerctl status\n")
	in.run(t, "__complete", "he").want(t, 0, "health\tShow whether the daemon itself is healthy; exit 1 if not\nhello\tRun "+in.dir, "NoFileComp")
	in.run(t, "__complete", "help", "to").want(t, 0, "top\tWatch all providers", "NoFileComp")
	in.run(t, "__complete", "hello", "").want(t, 0, ":0\n", "Default") // files
	if in.argv != nil {
		t.Errorf("it ran %q", in.argv)
	}
}

// A command of providerctl's own costs no search.
func TestBeside_NoSearchForACommand(t *testing.T) {
	in := newInstall(t, "bin/providerctl-hello")
	for _, line := range []string{"version", "status --help", "version --bad", "help version", "__complete status --stat"} {
		in.run(t, strings.Fields(line)...)
	}
	if in.searches != 0 {
		t.Errorf("it asked %d times where it is", in.searches)
	}
}

// A link to providerctl finds the programs beside its file, and none beside the link.
func TestBeside_ThroughALink(t *testing.T) {
	in := newInstall(t, "bin/providerctl-near", "links/bin/providerctl-linked")
	link := filepath.Join(in.dir, "links", "bin", "providerctl")
	if err := os.Symlink("../../bin/providerctl", link); err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]int{"near": 42, "linked": 2} {
		var out, err bytes.Buffer
		if got := ctl.Main(t.Context(), ctl.Env{Args: []string{name}, Stdout: &out, Stderr: &err, Getenv: environment(nil),
			Executable: func() (string, error) { return link, nil },
			Exec:       func([]string, []string) (int, error) { return 42, nil },
		}); got != code {
			t.Errorf("%s: exit code %d, want %d\n%s", name, got, code, err.String())
		}
	}
}
