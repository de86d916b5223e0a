// Package child is for programs that the daemon starts: their process groups, so that none of
// their processes is left behind, and the beginning of what they write.
//
// It imports the standard library only.
package child

import (
	"bytes"
	"fmt"
)

const (
	maxKept = 4 << 10 // bytes of an output that are kept
	maxRead = 1 << 20 // bytes after which a program is stopped
)

// An Output keeps the beginning of what is written to it. It stops an endless writer, which would
// keep a processor busy until the deadline.
type Output struct {
	kept []byte
	read int
}

// ErrWordy is returned by Write after too much output.
var ErrWordy = fmt.Errorf("it wrote more than %d MiB", maxRead>>20)

func (o *Output) Write(b []byte) (int, error) {
	if o.read += len(b); o.IsOver() {
		return 0, ErrWordy
	}
	o.kept = append(o.kept, b[:min(len(b), maxKept-len(o.kept))]...)
	return len(b), nil
}

// IsOver reports whether too much was written.
func (o *Output) IsOver() bool { return o.read > maxRead }

// FirstLine is the first line that is not blank, without the blanks around it.
func (o *Output) FirstLine() string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(o.kept), []byte("\n"))
	return string(bytes.TrimSpace(line))
}
