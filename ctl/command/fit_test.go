package command_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl/command"
)

// Help fits on the screen, and what is to be copied stays whole.
func TestHelp_FitsOnTheScreen(t *testing.T) {
	help := func(columns int) string {
		var out strings.Builder
		root := &command.Command{
			Use: "p", Short: "Do things", Long: "Do things, one after the other, until all are\ndone. They are many.\n\n  local  those of this machine, which are the cheapest\n", Stdout: &out,
			Example: `  eval "$(p --with-a-flag of-a-value and-a-word and-another)"`, Columns: func() int { return columns },
		}
		root.Flags().BoolVarP(new(bool), "quiet", "q", false, "print nothing but what somebody has to act on now")
		root.Flags().StringVar(new(string), "with-a-flag", "", "a flag of a long name")
		root.AddCommand(&command.Command{Use: "get", Short: "Get one of them, or several, or none, as it comes", Run: func(*command.Command, []string) error { return nil }})
		if err := root.Execute(t.Context(), []string{"--help"}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const narrow = `Do things, one after the other, until
all are done. They are many.

  local  those of this machine, which
         are the cheapest

Usage:
  p [flags]
  p [command]

Examples:
  eval "$(p --with-a-flag of-a-value and-a-word and-another)"

Available Commands:
  get         Get one of them, or
              several, or none, as it
              comes

Flags:
  -h, --help                 help for p
  -q, --quiet
        print nothing but what somebody
        has to act on now
      --with-a-flag string
        a flag of a long name

Use "p [command] --help" for more
information about a command.
`
	got := help(40)
	if diff := cmp.Diff(narrow, got); diff != "" {
		t.Errorf("40 columns (-want +got):\n%s", diff)
	}
	if help(0) != help(1000) || strings.Count(help(0), "\n") >= strings.Count(got, "\n") {
		t.Error("it is broken where there is room")
	}
	for line := range strings.Lines(help(60)) {
		if len(strings.TrimSuffix(line, "\n")) > 60 && !strings.Contains(line, "eval") {
			t.Errorf("too long: %s", line)
		}
	}
}
