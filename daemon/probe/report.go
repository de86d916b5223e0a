package probe

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/probe/complaint"
	"github.com/providerd/providerd/store/provider"
)

// unanswered is what each word for a request without an answer means.
var unanswered = map[string]struct {
	saw    provider.Reason
	detail string
}{
	"timeout": {provider.Hung, "no answer in time"},
	"refused": {provider.ConnectionRefused, "connection refused"},
	"reset":   {provider.ConnectionReset, "connection reset"},
}

// Reported reads a caller's report about a provider of a kind by the same rules as a probe of
// it. Only the status, these words, and the limits in the headers enter the Observation. A
// success says nothing but those: it may belong to another key or model, so Saw is empty. It
// refuses a report that says nothing about the provider: a success without limits, and a status
// that blames the request. The error is a [*provider.Error] whose hint is what to send instead.
func Reported(kind string, r provider.Report, now time.Time) (Observation, error) {
	o := Observation{Began: now}
	headers := headersOf(r.Headers)
	o.Limits = limitsOf(headers, now)
	switch word, ok := unanswered[r.Error]; {
	case r.Status != 0 && r.Error != "":
		return o, misreported("send status if there was an answer, and error if there was none", "both status and error are given")
	case ok:
		o.Saw, o.Detail = word.saw, word.detail
	case r.Error != "":
		words := slices.Sorted(maps.Keys(unanswered))
		return o, misreported(provider.DidYouMean(r.Error, words, "", "use one of: "+strings.Join(words, ", ")), "no such error: %.40q", r.Error)
	case r.Status/100 == 2 && len(o.Limits) > 0: // which says nothing but what is left
		return o, nil
	default:
		if err := readStatus(r.Status); err != nil {
			return o, err
		}
		o.Saw = complaint.ByStatus(r.Status)
		o.Detail = strings.TrimSpace(fmt.Sprint(r.Status, " ", http.StatusText(r.Status)))
	}
	if r.RetryAfter == "" {
		o.RetryAt = new(complaint.Complaint).RetryAt(headers, now, refills(kind)) // no body to complain
	}
	if r.RetryAfter != "" {
		wait, err := readWait(r.RetryAfter, now)
		if err != nil {
			return o, err
		}
		o.RetryAt = now.Add(wait)
	}
	return o, nil
}

// readStatus refuses a status that says nothing about the provider.
func readStatus(status int) error {
	const reported = "send 401, 402, 403, 429 or 5xx, or error timeout, refused or reset if no answer came"
	switch {
	case status == 0:
		return misreported(reported, "the report does not say what happened")
	case status < 100 || status > 599:
		return misreported(reported, "no such HTTP status: %d", status)
	case status < 400:
		return misreported("report only failures; to check a provider: providerctl refresh", "%d is not a failure", status)
	case complaint.ByStatus(status) == "":
		return misreported(reported, "%d is about the request, not about the provider", status)
	}
	return nil
}

// readWait reads when to come back, in any form that a provider may have used.
func readWait(said string, now time.Time) (time.Duration, error) {
	wait, ok := complaint.When(said, time.Second, now)
	if !ok {
		return 0, misreported("write it as in the header, in seconds (60) or as a date, or as a duration (1m30s, 500ms)",
			"retry_after cannot be read: %.40q", said)
	}
	return complaint.Bounded(wait), nil
}

func misreported(hint, format string, args ...any) error {
	return provider.Errorf(provider.BadRequest, hint, format, args...)
}

// headersOf are the headers that a caller was sent, under the names by which they are
// looked up.
func headersOf(sent map[string][]string) http.Header {
	h := make(http.Header, len(sent))
	for name, values := range sent {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	return h
}

// refills reports whether resets of a kind say when a limit is whole again.
func refills(name string) bool {
	for _, k := range table {
		if k.Name == name {
			return k.refills
		}
	}
	return false
}
