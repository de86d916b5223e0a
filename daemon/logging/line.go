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

// A lineWriter makes one physical line of each record, so that nothing in a
// record can pass for another one, and begins it with its priority if that is
// wanted. hclog calls it under the logger's lock.
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

// Write takes a record of no level.
func (w *lineWriter) Write(record []byte) (int, error) { return w.LevelWrite(hclog.Info, record) }

// priority is the prefix by which the journal knows how grave a line is.
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

// block is how hclog writes a value of several lines: its key on a line of its
// own, and each line of it indented.
var block = regexp.MustCompile(`\n  ([^\n]*)=\n((?:  \| [^\n]*\n)+)  `)

// singleLine returns a record whose only line break is the last byte. Without one
// inside it, and without anything else that does not show, it is the same. In JSON the
// escapes mean the same, too.
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
		case r == utf8.RuneError, provider.Shows(r): // what is no text has become U+FFFD
			line.WriteRune(r)
		default:
			line.Write(provider.AppendJSONEscape(nil, r))
		}
	}
	line.WriteByte('\n')
	return line.Bytes()
}
