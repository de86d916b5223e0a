package provider

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Shows reports whether a character is a visible one, a space, or a joiner within a
// cluster of visible ones. Any other could be more than text to a terminal or a reader: it
// moves the cursor, reverses the direction of writing, or is not seen at all. The
// replacement character does not show, because it can stand for a byte that is not UTF-8.
func Shows(r rune) bool {
	const (
		nonJoiner = '\u200c'
		joiner    = '\u200d'
	)
	switch r {
	case utf8.RuneError:
		return false
	case nonJoiner, joiner:
		return true
	}
	return strconv.IsPrint(r)
}

// Printable returns s on one line, with every character that does not show escaped. A tab
// becomes a blank.
func Printable(s string) string {
	if allPlain(s, "") {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if r == '\t' {
			b.WriteByte(' ')
			continue
		}
		b.Write(appendShown(nil, s[i:], r))
	}
	return b.String()
}

// Quoted is s as a double-quoted string of TOML and of YAML. Every character that does not
// show is escaped, which is more than they require, because the result goes to a terminal.
func Quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case Shows(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// PrintableLines is Printable of a text of several lines. Those after the first begin
// with a blank, so that none can pass for a message of its own.
func PrintableLines(s string) string {
	first, rest, more := strings.Cut(s, "\n")
	text := Printable(first)
	for more {
		first, rest, more = strings.Cut(rest, "\n")
		line := Printable(first)
		if !strings.HasPrefix(line, " ") {
			line = "  " + line
		}
		text += "\n" + line
	}
	return text
}

// PrintableJSON escapes what does not show in a JSON text. Only strings can have such
// characters, and there the escape means the same. Line breaks and tabs between values
// stay.
func PrintableJSON(text []byte) []byte {
	if allPlain(text, "\n\t") {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for _, r := range string(text) {
		if r == '\n' || r == '\t' || r == utf8.RuneError || Shows(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		out = AppendJSONEscape(out, r)
	}
	return out
}

// AppendJSONEscape appends a character as \u and four hexadecimal digits, or as two of
// these if it needs a surrogate pair.
func AppendJSONEscape(out []byte, r rune) []byte {
	for _, unit := range utf16.AppendRune(nil, r) {
		const hex = "0123456789abcdef"
		out = append(out, '\\', 'u', hex[unit>>12], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
	}
	return out
}

// allPlain reports whether s has only visible ASCII, blanks, and characters of others.
func allPlain[T string | []byte](s T, others string) bool {
	for i := range len(s) {
		if (s[i] < ' ' || s[i] > '~') && strings.IndexByte(others, s[i]) < 0 {
			return false
		}
	}
	return true
}

// appendShown appends r, with which s begins, or its escape if it does not show.
func appendShown(out []byte, s string, r rune) []byte {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(s, "\uFFFD"):
		const hex = "0123456789abcdef"
		return append(out, '\\', 'x', hex[s[0]>>4], hex[s[0]&15])
	case r == utf8.RuneError, Shows(r):
		return utf8.AppendRune(out, r)
	}
	quoted := strconv.AppendQuoteRuneToASCII(nil, r)
	return append(out, quoted[1:len(quoted)-1]...)
}

// A TextWriter is the writer for all text of a program, wherever the text is from. It
// escapes what does not show, except line breaks, tabs, and the sequences with which the
// program styles its text.
type TextWriter struct {
	to     io.Writer
	styles []string

	mu   sync.Mutex
	rest []byte // the end of a Write, which the next can complete
}

// NewTextWriter returns one that lets the styles through.
func NewTextWriter(to io.Writer, styles ...string) *TextWriter {
	return &TextWriter{to: to, styles: styles}
}

// Style makes w let these styles through from now on, and no others.
func (w *TextWriter) Style(styles ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.styles = styles
}

// Write writes p, except an incomplete character at its end.
func (w *TextWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := p
	if len(w.rest) > 0 {
		text = append(w.rest, p...)
		w.rest = nil
	}
	whole := len(text) - w.unfinished(text)
	w.rest = append(w.rest, text[whole:]...)
	if _, err := w.to.Write(w.Clean(text[:whole])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what is still incomplete.
func (w *TextWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) == 0 {
		return nil
	}
	_, err := w.to.Write(w.Clean(w.rest))
	w.rest = nil
	return err
}

// Clean returns a text as Write writes it.
func (w *TextWriter) Clean(text []byte) []byte {
	if allPlain(text, "\n\t") {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for s := string(text); s != ""; {
		if style := w.style(s); style != "" {
			out = append(out, style...)
			s = s[len(style):]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		if r == '\n' || r == '\t' {
			out = append(out, s[0])
		} else {
			out = appendShown(out, s, r)
		}
		s = s[size:]
	}
	return out
}

// style is the style that s begins with.
func (w *TextWriter) style(s string) string {
	for _, style := range w.styles {
		if strings.HasPrefix(s, style) {
			return style
		}
	}
	return ""
}

// unfinished is how many bytes at the end of text can be the beginning of a character or of
// a style.
func (w *TextWriter) unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if end := text[len(text)-n:]; utf8.RuneStart(end[0]) {
			if !utf8.FullRune(end) {
				return n
			}
			break
		}
	}
	for _, style := range w.styles {
		for n := min(len(style)-1, len(text)); n > 0; n-- {
			if bytes.HasSuffix(text, []byte(style[:n])) {
				return n
			}
		}
	}
	return 0
}
