package command_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Scripts that were installed long ago read the output of the hidden commands.
func TestComplete(t *testing.T) {
	const noFiles = "ShellCompDirectiveNoFileComp"
	for name, tc := range map[string]struct {
		line []string // after __complete
		want string
		says string // on stderr
	}{
		"Commands":             {[]string{""}, "completion\tPrint a completion script for a shell\nconfig\tLook at the configuration\nget\tGet them\nhelp\tShow help for a command\n:4\n", noFiles},
		"CommandsThatBeginSo":  {[]string{"co"}, "completion\tPrint a completion script for a shell\nconfig\tLook at the configuration\n:4\n", noFiles},
		"Below":                {[]string{"config", "s"}, "show\tShow it\n:4\n", noFiles},
		"AfterAGlobalFlag":     {[]string{"--socket", "x", "config", "s"}, "show\tShow it\n:4\n", noFiles},
		"Arguments":            {[]string{"get", ""}, "one:\tthe first\ntwo\tof\nthree\n:4\n", noFiles},
		"ArgumentsKnowOthers":  {[]string{"get", "a", "-q", "b", ""}, "one:a+b\tthe first\ntwo\tof\nthree\n:4\n", noFiles},
		"NoneToOffer":          {[]string{"config", "show", ""}, ":4\n", noFiles},
		"NoSuchCommand":        {[]string{"xyzzy", ""}, ":4\n", noFiles},
		"Flags":                {[]string{"get", "--"}, "--socket\t`path` of the socket\n--help\thelp for get\n--lines\thow many\n--output\tformat of the output\n--quiet\tprint nothing\n--since\tfrom there on\n--wait\thow long\n:4\n", noFiles},
		"FlagsWithLetters":     {[]string{"get", "-q", "-"}, "--socket\t`path` of the socket\n--help\thelp for get\n-h\thelp for get\n--lines\thow many\n-n\thow many\n--output\tformat of the output\n-o\tformat of the output\n--since\tfrom there on\n--wait\thow long\n:4\n", noFiles},
		"FlagsThatBeginSo":     {[]string{"get", "--ou"}, "--output\tformat of the output\n:4\n", noFiles},
		"FlagsOfTheProgram":    {[]string{"--v"}, "--version\tversion for p\n:4\n", noFiles},
		"Value":                {[]string{"get", "--output", ""}, "table\njson\n:4\n", noFiles},
		"ValueAfterEquals":     {[]string{"get", "--output="}, "table\njson\n:4\n", noFiles},
		"ValueOfALetter":       {[]string{"get", "-qo", ""}, "table\njson\n:4\n", noFiles},
		"ValueOfALetterEquals": {[]string{"get", "-o=j"}, "table\njson\n:4\n", noFiles},
		"ValueThatIsAFile":     {[]string{"--socket", "/r"}, ":0\n", "ShellCompDirectiveDefault"},
		"ValueWithoutChoices":  {[]string{"get", "-n", ""}, ":4\n", noFiles},
		"NoValueAfterABool":    {[]string{"get", "-q", ""}, "one:\tthe first\ntwo\tof\nthree\n:4\n", noFiles},
		"WordsAfterDashes":     {[]string{"get", "--", "-"}, "one:\tthe first\ntwo\tof\nthree\n:4\n", noFiles},
		"NothingAfterHelp":     {[]string{"get", "--help", ""}, ":4\n", noFiles},
		"NoCommandAfterAFlag":  {[]string{"-v", ""}, ":4\n", noFiles},
		"OfHelp":               {[]string{"help", "config", ""}, "check\tCheck it\nshow\tShow it\n:4\n", noFiles},
		"OfCompletion":         {[]string{"completion", "b"}, "bash\tPrint the completion script for bash\n:4\n", noFiles},
		"UnknownFlag":          {[]string{"get", "--xyzzy="}, ":0\n", "[Error] get: no such flag: --xyzzy\n"},
		"UnknownFlagBefore":    {[]string{"get", "--xyzzy", ""}, ":0\n", "[Error] no such flag: --xyzzy\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := execute(t, append([]string{"__complete"}, tc.line...)...)
			if r.failed != nil || r.out.String() != tc.want || !strings.Contains(r.err.String(), tc.says) {
				t.Errorf("%v\ngot  %q\nwant %q\nstderr %q", r.failed, &r.out, tc.want, &r.err)
			}
		})
	}
}

func TestComplete_WithoutDescriptions(t *testing.T) {
	const want = "one:\ntwo\nthree\n:4\n"
	if r := execute(t, "__completeNoDesc", "get", ""); r.out.String() != want {
		t.Errorf("got %q, want %q", &r.out, want)
	}
	for variable, plain := range map[string]bool{"P_COMPLETION_DESCRIPTIONS": true, "COBRA_COMPLETION_DESCRIPTIONS": true, "OTHER_COMPLETION_DESCRIPTIONS": false} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, "0")
			if r := execute(t, "__complete", "get", ""); (r.out.String() == want) != plain {
				t.Errorf("got %q", &r.out)
			}
		})
	}
}

// A shell can read its script, which has the program's name in it.
func TestCompletion_Scripts(t *testing.T) {
	for shell, begins := range map[string]string{
		"bash": "# Completion of p's command lines in bash", "zsh": "#compdef p\n",
		"fish": "# Completion of p's command lines in fish", "powershell": "# Completion of p's command lines in PowerShell",
	} {
		t.Run(shell, func(t *testing.T) {
			r := execute(t, "completion", shell)
			script := r.out.String()
			if r.failed != nil || !strings.HasPrefix(script, begins) || strings.Contains(strings.ToLower(script), "programname") {
				t.Errorf("%v: %.100q", r.failed, script)
			}
			if n := strings.Count(script, " __complete "); n != 1 {
				t.Errorf("it asks %d times", n)
			}
			plain := execute(t, "completion", shell, "--no-descriptions").out.String()
			if plain != strings.Replace(script, " __complete ", " __completeNoDesc ", 1) {
				t.Error("without descriptions it differs in more than how it asks")
			}
			if path, err := exec.LookPath(shell); err == nil && shell != "powershell" {
				check := exec.Command(path, "-n")
				check.Stdin = strings.NewReader(script)
				if out, err := check.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
		})
	}
}
