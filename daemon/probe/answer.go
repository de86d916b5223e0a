package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/providerd/providerd/daemon/probe/complaint"
	"github.com/providerd/providerd/daemon/probe/loose"
)

// An answer is what came back to one request.
type answer struct {
	request *request
	prober  *Prober // that asked, and knows the other kinds
	err     error   // nothing came back before the deadline
	status  int
	header  http.Header
	body    []byte
	large   bool   // the body is longer than maxBody
	broken  error  // the body ended before its end
	blocked string // why its redirect was not followed
	led     bool   // a redirect led here
	coding  string // the body's Content-Encoding, if it is not one that we undo

	said *complaint.Complaint // read once: many ask for it, and a body can be large
}

// whole reports whether the body is all there.
func (a *answer) whole() bool { return !a.large && a.broken == nil }

func (a *answer) trouble() error {
	switch {
	case a.err != nil:
		return a.err
	case a.broken != nil:
		return a.broken
	case a.large:
		return fmt.Errorf("body larger than %d MiB", maxBody>>20)
	}
	return nil
}

func (a *answer) isRedirect() bool {
	switch a.status {
	case 301, 302, 303, 307, 308:
		return a.header.Get("Location") != ""
	}
	return false
}

// decode reads the body as JSON into v, as [loose.Decode] does. A truncated body is not
// parsed, because it cannot be valid JSON.
func (a *answer) decode(v any) bool { return !a.large && loose.Decode(a.body, v) }

// complaint is what the answer says is wrong.
func (a *answer) complaint() *complaint.Complaint {
	if a.said == nil {
		a.said = complaint.Read(complaint.Body{Bytes: a.body, Page: a.isHTML(), Part: a.large, Illegible: a.illegible()})
	}
	return a.said
}

func (a *answer) isJSON() bool { return !a.large && json.Valid(a.body) }

func (a *answer) isHTML() bool {
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		return true
	}
	start := bytes.ToLower(bytes.TrimSpace(a.body[:min(len(a.body), 256)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// statusLine is "404 Not Found".
func (a *answer) statusLine() string {
	if text := http.StatusText(a.status); text != "" {
		return fmt.Sprintf("%d %s", a.status, text)
	}
	return fmt.Sprint(a.status)
}

// excerpt is the beginning of the body. It must be cleaned before it is shown.
func (a *answer) excerpt() string { return string(a.body[:min(len(a.body), maxExcerpt)]) }
