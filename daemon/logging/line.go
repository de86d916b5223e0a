package logging

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store/provider"
)

// A lineWriter makes each record one physical line, so that nothing in it can pass for
// another record, and optionally prefixes its priority. hclog calls it under the logger's
// lock.
type lineWriter struct {
	to         io.Writer
	priorities bool
}

// LevelWrite implements [hclog.LevelWriter].
func (w *lineWriter) LevelWrite(level hclog.Level, record []byte) (int, error) {
	line := singleLine(record)
	if w.priorities {
		line = append([]byte(priority(level)), line...)
	}
	if _, err := w.to.Write(line); err != nil {
		return 0, err
	}
	return len(record), nil
}

// Write writes a record without a level.
func (w *lineWriter) Write(record []byte) (int, error) { return w.LevelWrite(hclog.Info, record) }

// priority is the prefix that tells the journal a line's priority.
// Source: sd-daemon(3), SD_ERR and its kin.
func priority(level hclog.Level) string {
	switch level {
	case hclog.Error:
		return "<3>"
	case hclog.Warn:
		return "<4>"
	case hclog.Debug, hclog.Trace:
		return "<7>"
	}
	return "<6>"
}

// block matches a value of several lines as hclog writes it: the key on a line of its
// own, and each line of the value indented.
var block = regexp.MustCompile(`\n  ([^\n]*)=\n((?:  \| [^\n]*\n)+)  `)

// singleLine returns a record whose only line break is the last byte. It escapes line
// breaks and anything else that is not printable; in JSON the escapes mean the same.
func singleLine(record []byte) []byte {
	text := strings.TrimSuffix(string(record), "\n")
	if strings.ContainsRune(text, '\n') {
		text = block.ReplaceAllStringFunc(text, func(found string) string {
			parts := block.FindStringSubmatch(found)
			value := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSuffix(parts[2], "\n"), "  | "), "\n  | ", "\n")
			return " " + parts[1] + `="` + strings.ReplaceAll(value, `"`, `\"`) + `"`
		})
	}
	var line bytes.Buffer
	for _, r := range text {
		switch {
		case r == '\n':
			line.WriteString(`\n`)
		case r == '\r':
			line.WriteString(`\r`)
		case r == '\t':
			line.WriteString(`\t`)
		case r == utf8.RuneError, provider.Shows(r): // invalid UTF-8 has become U+FFFD
			line.WriteRune(r)
		default:
			line.Write(provider.AppendJSONEscape(nil, r))
		}
	}
	line.WriteByte('\n')
	return line.Bytes()
}
