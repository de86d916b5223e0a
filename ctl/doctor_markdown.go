package ctl

import (
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// writeCheckupMarkdown writes a checkup to paste into an issue: in code, like a diagnosis,
// and without the names of the person and the machine.
func (a *app) writeCheckupMarkdown(c *checkup) error {
	nobody := a.namesLeftOut()
	var b strings.Builder
	b.WriteString("## providerctl doctor: " + c.sum() + "\n\n| | subject | what | to do |\n|---|---|---|---|\n")
	for _, f := range c.Checks {
		fix := make([]string, len(f.Fix))
		for i, line := range f.Fix {
			fix[i] = cell(nobody.Replace(line))
		}
		writeRow(&b, string(f.Level), cell(f.Title()), cell(nobody.Replace(f.Summary)), strings.Join(fix, "<br>"))
	}
	for _, f := range c.Checks {
		if len(f.Details) > 0 {
			shown := make([]string, len(f.Details))
			for i, line := range f.Details {
				shown[i] = "  " + provider.Printable(nobody.Replace(line)) // so that none passes for another message
			}
			b.WriteString("\n" + code(f.Title()) + ":\n\n" + fenced(strings.Join(shown, "\n")))
		}
	}
	daemon := "no providerd"
	if c.Providerd != "" {
		daemon = "providerd " + code(c.Providerd)
	}
	b.WriteString("\n" + daemon + ", providerctl " + code(c.Providerctl) + ", " + runtime.GOOS + "/" + runtime.GOARCH + "\n")
	_, err := io.WriteString(a.data, b.String())
	return err
}

// leftOut are the names to leave out.
type leftOut struct{ home, user, host string }

// namesLeftOut are those of the person and the machine.
func (a *app) namesLeftOut() leftOut {
	l := leftOut{home: strings.TrimRight(a.Getenv("HOME"), "/"), user: a.Getenv("USER")}
	if u := a.Getenv("SUDO_USER"); u != "" {
		l.user = u
	}
	l.host, _ = os.Hostname()
	return l
}

// Replace leaves them out of a text, if they are words of their own. Names that everybody
// has stay.
func (l leftOut) Replace(text string) string {
	if len(l.home) > 1 && l.home != "/root" {
		text = replaceWord(text, l.home, "~")
	}
	for _, name := range []struct{ is, shown string }{{l.user, "USER"}, {l.host, "HOST"}} {
		switch name.is {
		case "", "root", "providerd", "localhost":
		default:
			text = replaceWord(text, name.is, name.shown)
		}
	}
	return text
}

// replaceWord replaces old unless a character of a longer name is beside it.
func replaceWord(text, old, shown string) string {
	var b strings.Builder
	for {
		at := strings.Index(text, old)
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := at + len(old)
		inside := at > 0 && goesOn(text[at-1]) || end < len(text) && goesOn(text[end])
		b.WriteString(text[:at])
		if inside {
			b.WriteString(old)
		} else {
			b.WriteString(shown)
		}
		text = text[end:]
	}
}

func goesOn(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
