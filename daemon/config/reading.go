package config

import "fmt"

// A reading is one pass over a document. It goes on after a mistake, so that
// one run reports them all.
type reading struct {
	path     string
	doc      *document
	kinds    []Kind
	env      Env
	findings []finding
	more     int // mistakes beyond maxFindings
	warnings []string
}

// maxFindings is where a file is wrong as a whole, and to note each mistake
// would cost more than it tells.
const maxFindings = 1000

func (r *reading) reject(at place, f *flaw) {
	if len(r.findings) == maxFindings {
		r.more++
		return
	}
	r.findings = append(r.findings, finding{*f, at})
}

func (r *reading) warn(at place, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if at.known() {
		line, _ := position(r.doc.data, at.start)
		text = fmt.Sprintf("%s:%d: %s", r.path, line, text)
	} else if r.path != "" {
		text = r.path + ": " + text
	}
	r.warnings = append(r.warnings, text)
}
