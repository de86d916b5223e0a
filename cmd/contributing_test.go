package cmd_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// steps are the names of .ci/run's steps, in order.
func steps(t *testing.T) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^step_([a-z]+)\(\) \{ # `).FindAllStringSubmatch(read(t, "../.ci/run"), -1) {
		names = append(names, m[1])
	}
	if len(names) < 10 {
		t.Fatalf("only %q are steps", names)
	}
	return names
}

// The table of durations has every step, and nothing else.
func TestContributing_TellsOfEveryStep(t *testing.T) {
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\| [0-9]").FindAllStringSubmatch(read(t, "../CONTRIBUTING.md"), -1) {
		told = append(told, m[1])
	}
	if want := steps(t); !slices.Equal(told, want) {
		t.Errorf("the table has %q, and .ci/run %q", told, want)
	}
}

// The workflow runs every step, so that none is lost from CI.
func TestContributing_TheWorkflowRunsEveryStep(t *testing.T) {
	var run []string
	_, matrix, _ := strings.Cut(read(t, "../.github/workflows/ci.yml"), "steps:\n")
	for line := range strings.Lines(matrix) {
		list, ok := strings.CutPrefix(strings.TrimSpace(line), "- tools ")
		if !ok {
			break
		}
		run = append(run, strings.Fields(list)...)
	}
	for _, name := range steps(t) {
		if name != "tools" && !slices.Contains(run, name) {
			t.Errorf("the workflow does not run %s", name)
		}
	}
	for _, name := range run {
		if !slices.Contains(steps(t), name) {
			t.Errorf("the workflow runs %s, which is no step", name)
		}
	}
}
