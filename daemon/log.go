package daemon

import (
	"io"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/control"
)

// logger is the daemon's own log: to a writer, and to the ring from which
// clients read it live. Both follow one level.
type logger struct {
	hclog.InterceptLogger
	ring   *control.LogRing
	writer *patientWriter
}

// close writes what is still queued, for at most half a second.
func (l *logger) close() { l.writer.Close(500 * time.Millisecond) }

// newLogger writes lines for people, or JSON for machines. For the journal each
// begins with its priority; lines for people then have no time, which the journal
// notes itself.
func newLogger(w io.Writer, json, journal bool, level hclog.Level) *logger {
	l := &logger{ring: control.NewLogRing(level), writer: newPatientWriter(w)}
	if journal {
		l.writer.noteBy = priority(hclog.Warn)
	}
	l.InterceptLogger = hclog.NewInterceptLogger(&hclog.LoggerOptions{
		Name: "providerd", Level: level, Output: &lineWriter{to: l.writer, priorities: journal}, JSONFormat: json,
		TimeFormat: "2006-01-02T15:04:05.000Z07:00", DisableTime: journal && !json,
	})
	l.RegisterSink(l.ring)
	return l
}

// setLevel changes what is written from now on.
func (l *logger) setLevel(level hclog.Level) {
	l.SetLevel(level)
	l.ring.SetLevel(level)
}
