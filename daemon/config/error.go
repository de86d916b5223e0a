package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// An Error lists everything that is wrong with a configuration, each problem with its line.
// Its text contains no secret.
type Error struct {
	Path     string    // the file; empty if the built-in defaults are at fault
	Problems []Problem // in the file's order, 1 to 10 of them
	More     int       // how many more there are, often caused by those
	cause    error
}

// A Problem is one thing to correct.
type Problem struct {
	Line    int    // from 1; 0 if the problem has no position in the file
	Column  int    // from 1, in characters
	Excerpt string // the line and, under it, a marker; empty without a line
	Message string // what is wrong
	Fix     string // what to type instead; can be empty
}

const maxProblems = 10

// Error shows each problem as FILE:LINE:COLUMN: what is wrong, the line itself
// with a marker under it, and what to type instead.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		p.write(&b, e.Path)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", e.More)
	}
	return b.String()
}

func (p *Problem) write(b *strings.Builder, path string) {
	if path != "" {
		fmt.Fprintf(b, "%s:", path)
		if p.Line > 0 {
			fmt.Fprintf(b, "%d:%d:", p.Line, p.Column)
		}
		b.WriteByte(' ')
	}
	b.WriteString(p.Message)
	if p.Excerpt != "" {
		b.WriteString("\n" + p.Excerpt)
	}
	if p.Fix != "" {
		b.WriteString("\n     = " + p.Fix)
	}
}

// Hint says what to do next, in one line.
func (e *Error) Hint() string {
	return e.HintThen("providerd config check " + provider.ShellWord(e.Path))
}

// HintThen is Hint for a caller who tries a corrected file with another command.
func (e *Error) HintThen(command string) string {
	switch first := e.Problems[0]; {
	case !slices.ContainsFunc(e.Problems, func(p Problem) bool { return !strings.Contains(p.Fix, " "+restartProviderd) }):
		return first.Fix // the file is right, but only a restart gets what systemd passes on
	case e.Path != "" && e.cause == nil:
		return "correct the file, then: " + command
	case first.Fix != "":
		return first.Fix
	}
	return "correct it, then start providerd again"
}

// Unwrap returns why the file could not be read, if that is the problem.
func (e *Error) Unwrap() error { return e.cause }

// A flaw is a problem whose position is not known yet.
type flaw struct {
	message, fix string
	instead      string // the address that was meant, if that is clear
	denied       string // the file that this process may not read; empty for any other problem
}

// flawf makes a flaw; fix can be empty.
func flawf(fix, format string, args ...any) *flaw {
	return &flaw{message: fmt.Sprintf(format, args...), fix: fix}
}

// of notes the file that a permission error is about.
func (f *flaw) of(err error, file string) *flaw {
	if errors.Is(err, fs.ErrPermission) {
		f.denied = file
	}
	return f
}

// A mistake is a flaw with its position.
type mistake struct {
	flaw
	at span
}

// newError sorts the mistakes by position and shows their lines; more is how many were not
// kept.
func newError(path string, data []byte, mistakes []mistake, more int) *Error {
	slices.SortStableFunc(mistakes, func(a, b mistake) int { return cmp.Compare(a.at.start, b.at.start) })
	shown := min(len(mistakes), maxProblems)
	e := &Error{Path: path, More: len(mistakes) - shown + more}
	for _, f := range mistakes[:shown] {
		e.Problems = append(e.Problems, f.problem(data))
	}
	return e
}

// problem turns a mistake into a problem with its line.
func (m mistake) problem(data []byte) Problem {
	p := Problem{Message: m.message, Fix: m.fix}
	if m.at.known() {
		p.Line, p.Column = position(data, m.at.start)
		p.Excerpt = excerpt(data, m.at)
	}
	return p
}

// quote shows a value of the file inside a message: on one line, shortened, and without what
// looks like a secret.
func quote(s string) string {
	s = maskSecrets(printable(s))
	if r := []rune(s); len(r) > 60 {
		s = string(r[:59]) + "…"
	}
	return `"` + s + `"`
}
