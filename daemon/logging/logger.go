package logging

import (
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"
)

// A Logger is the daemon's own log. It goes to a writer, and to the ring from which clients
// read it live. Both have the same level.
type Logger struct {
	hclog.InterceptLogger
	Ring   *Ring
	writer *asyncWriter
}

// Close writes what is still queued, for at most half a second.
func (l *Logger) Close() { l.writer.Close(500 * time.Millisecond) }

// blockedAfter is how long a reader of the log may take for a line.
const blockedAfter = 5 * time.Second

// Problem says that the log is blocked because nobody reads it; empty if it is not.
func (l *Logger) Problem() string {
	age, lines := l.writer.blocked()
	if age < blockedAfter {
		return ""
	}
	return fmt.Sprintf("the log has been blocked for %s, and %d lines wait or are lost: is its disk full, or its reader stopped? See: providerctl logs",
		age.Round(time.Second), lines)
}

// New makes a log that writes lines for people, or JSON for machines. For the journal each
// line begins with its priority, and lines for people have no time, which the journal adds.
func New(w io.Writer, json, journal bool, level hclog.Level) *Logger {
	l := &Logger{Ring: NewRing(level), writer: newAsyncWriter(w)}
	if journal {
		l.writer.noteBy = priority(hclog.Warn)
	}
	l.InterceptLogger = hclog.NewInterceptLogger(&hclog.LoggerOptions{
		Name: "providerd", Level: level, Output: &lineWriter{to: l.writer, priorities: journal}, JSONFormat: json,
		TimeFormat: "2006-01-02T15:04:05.000Z07:00", DisableTime: journal && !json,
	})
	l.RegisterSink(l.Ring)
	return l
}

// SetLevel changes the level.
func (l *Logger) SetLevel(level hclog.Level) {
	l.InterceptLogger.SetLevel(level)
	l.Ring.SetLevel(level)
}
