package main

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// skips are the tests that were left out, by the reason they gave.
type skips struct {
	reasons []string // in the order in which they were first given
	tests   map[string][]test
}

func (s *skips) add(of test, reason string) {
	if s.tests == nil {
		s.tests = map[string][]test{}
	}
	if s.tests[reason] == nil {
		s.reasons = append(s.reasons, reason)
	}
	s.tests[reason] = append(s.tests[reason], of)
}

// elsewhere is what no run of `go test` does.
const elsewhere = `
Not run by go test: the race detector, the packages under a real systemd, daemons under
kills and power cuts, the dashboard in a browser, a fleet on etcd, coding agents, fuzzing, benchmarks, builds for other systems. ".ci/run --list"
names these steps, and ".ci/run STEP" runs one, as root on Linux.
`

// print says what was left out, why, and how to run it.
func (s *skips) print(w io.Writer) error {
	var b strings.Builder
	if len(s.reasons) == 0 {
		b.WriteString("\nNo test was left out.\n")
	} else {
		n := 0
		for _, tests := range s.tests {
			n += len(tests)
		}
		fmt.Fprintf(&b, "\nLeft out: %s.\n", counted(n, "test"))
		for _, reason := range s.reasons {
			fmt.Fprintf(&b, "  %s\n", reason)
			if how := remedy(reason); how != "" {
				fmt.Fprintf(&b, "    to run: %s\n", how)
			}
			for _, line := range named(s.tests[reason]) {
				fmt.Fprintf(&b, "    %s\n", line)
			}
		}
	}
	b.WriteString(elsewhere)
	_, err := io.WriteString(w, b.String())
	return err
}

// most is how many tests of a package are named for one reason.
const most = 3

// named is a line for each package: a few of its tests, and how many more there are.
func named(tests []test) (lines []string) {
	byPackage := map[string][]string{}
	var packages []string
	for _, of := range tests {
		if byPackage[of.pkg] == nil {
			packages = append(packages, of.pkg)
		}
		byPackage[of.pkg] = append(byPackage[of.pkg], of.name)
	}
	slices.Sort(packages)
	for _, pkg := range packages {
		names := byPackage[pkg]
		line := path.Base(pkg) + ": " + strings.Join(names[:min(most, len(names))], ", ")
		if more := len(names) - most; more > 0 {
			line += fmt.Sprintf(", and %d more", more)
		}
		lines = append(lines, line)
	}
	return lines
}

// remedies say what to do about a reason that has these words in it; the first counts.
var remedies = []struct{ words, how string }{
	{"-short", "without -short"},
	{"packaging/browsertest", ".ci/run browser, which installs Chromium on Debian"},
	{"packaging/fleettest", ".ci/run fleet, which builds etcd"},
	{"folder with the agents", ".ci/run agents, which installs them with npm"},
	{"only root", `as root: sudo env "PATH=$PATH" go test ./...`},
	{"root may", "as an ordinary user"},
	{"root", `as root: sudo env "PATH=$PATH" go test ./...`},
	{"permission denied", `as root: sudo env "PATH=$PATH" go test ./...`},
	{"not permitted", `as root: sudo env "PATH=$PATH" go test ./...`},
	{"a user without a name", "as a user with an entry in /etc/passwd"},
	{"executable file not found", "install it; on Debian, .ci/run tools does"},
	{"is not here", "install it; on Debian, .ci/run tools does"},
	{"no dbus-daemon", "install it; on Debian, .ci/run tools does"},
	{"there is no", "on a system that has it"},
	{"this system", "on Linux"},
}

func remedy(reason string) string {
	for _, r := range remedies {
		if strings.Contains(reason, r.words) {
			return r.how
		}
	}
	return ""
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}
