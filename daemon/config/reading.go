package config

import "fmt"

// A reading is one pass over a document. It continues after a mistake, so that one run reports
// them all.
type reading struct {
	path     string
	doc      *document
	kinds    []Kind
	env      Env
	mistakes []mistake
	more     int // mistakes beyond maxMistakes
	warnings []string
	faults   []Fault
}

// maxMistakes is the number of mistakes from which a file is wrong as a whole. Noting more would
// not help.
const maxMistakes = 1000

func (r *reading) reject(at span, f *flaw) {
	if len(r.mistakes) == maxMistakes {
		r.more++
		return
	}
	r.mistakes = append(r.mistakes, mistake{*f, at})
}

func (r *reading) warn(at span, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if at.known() {
		line, _ := position(r.doc.data, at.start)
		text = fmt.Sprintf("%s:%d: %s", r.path, line, text)
	} else if r.path != "" {
		text = r.path + ": " + text
	}
	r.warnings = append(r.warnings, text)
}
