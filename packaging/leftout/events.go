package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// An event is a line of `go test -json`; go doc test2json describes it.
type event struct {
	Action, Package, Test, Output string
}

// test names the test, or the package, that an event belongs to.
type test struct{ pkg, name string }

// reasonLine is a line that t.Skip wrote.
var reasonLine = regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)\n$`)

// follow copies to w what `go test` without -json would print: a line for each package,
// and all that the failed ones wrote. It returns the tests that were skipped. A line
// that is no event is copied too: go's own errors.
func follow(events io.Reader, w io.Writer) (left skips, err error) {
	written := map[test]*strings.Builder{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				e = event{Action: "build-output", Output: line}
			}
			if err := left.take(e, written, w); err != nil {
				return left, err
			}
		}
		if err == io.EOF {
			return left, nil
		}
		if err != nil {
			return left, err
		}
	}
}

// take follows one event.
func (s *skips) take(e event, written map[test]*strings.Builder, w io.Writer) error {
	of := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		_, err := io.WriteString(w, e.Output)
		return err
	case "output":
		if e.Test == "" && summary(e.Output) {
			_, err := io.WriteString(w, e.Output)
			return err
		}
		if written[of] == nil {
			written[of] = &strings.Builder{}
		}
		written[of].WriteString(e.Output)
	case "fail":
		if text := written[of]; text != nil {
			if _, err := fmt.Fprint(w, text); err != nil {
				return err
			}
		}
		delete(written, of)
	case "skip":
		if e.Test != "" {
			s.add(of, reason(written[of]))
		}
		delete(written, of)
	case "pass":
		delete(written, of)
	}
	return nil
}

// summary reports whether a line sums up a package.
func summary(line string) bool {
	for _, start := range []string{"ok  \t", "FAIL\t", "?   \t", "--- FAIL"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

// reason is the last that a skipped test said.
func reason(written *strings.Builder) string {
	last := "it does not say why"
	if written == nil {
		return last
	}
	for line := range strings.Lines(written.String()) {
		if m := reasonLine.FindStringSubmatch(line); m != nil {
			last = m[1]
		}
	}
	return last
}
