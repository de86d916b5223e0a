package cmd_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Both programs have a script for PowerShell, which asks the program that is typed and
// whose brackets match; if PowerShell is installed, it parses the script.
func TestCompletion_PowerShell(t *testing.T) {
	for _, name := range []string{"providerctl", "providerd"} {
		out, err := exec.Command(program(name), "completion", "powershell").Output()
		if err != nil {
			t.Fatal(err)
		}
		script := string(out)
		for _, line := range []string{
			"Register-ArgumentCompleter -Native -CommandName '" + name + "' -ScriptBlock {",
			"param($wordToComplete, $commandAst, $cursorPosition)", "& $program __complete @line $last",
		} {
			if !strings.Contains(script, line) {
				t.Errorf("%s: there is no %s", name, line)
			}
		}
		if open := unclosed(script); open != "" {
			t.Errorf("%s: %q is not closed, or was never opened", name, open)
		}
		if shell, err := exec.LookPath("pwsh"); err == nil {
			cmd := exec.Command(shell, "-NoProfile", "-Command", "$input | Out-String | Invoke-Expression")
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v: %s", name, err, out)
			}
		}
	}
}

// unclosed are the unmatched brackets of a script in PowerShell; those within quotes and
// comments are text.
func unclosed(script string) string {
	var open []byte
	for i := 0; i < len(script); i++ {
		switch c := script[i]; c {
		case '#':
			i += strings.IndexByte(script[i:], '\n')
		case '\'', '"':
			end := strings.IndexByte(script[i+1:], c)
			if end < 0 {
				return script[i:]
			}
			i += end + 1
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			last := len(open) - 1
			if last < 0 || !strings.Contains("() [] {}", string(open[last])+string(c)) {
				return string(open) + string(c)
			}
			open = open[:last]
		}
	}
	return string(open)
}
