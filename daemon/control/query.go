package control

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// maxWait is the longest that a request may wait for a probe.
const maxWait = 10 * time.Minute

// A query is the part of a URL after the question mark. A nil pointer is an absent
// parameter.
type query struct {
	ids    []string // nil: all
	maxAge *time.Duration
	wait   *time.Duration
	since  *uint64
	from   *time.Time
	window *time.Duration
	step   *time.Duration
	lines  *uint64
	force  bool
	follow bool
}

// parseQuery is strict: it refuses what it does not know or cannot read, rather than answer
// a different question.
func parseQuery(raw string, allowed []parameter) (query, *provider.Error) {
	var q query
	if raw == "" {
		return q, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, provider.Errorf(provider.BadRequest, "separate parameters by & and percent-encode their values", "read the query: %v", err)
	}
	for name, vs := range values {
		if !has(allowed, name) {
			return q, unknownParameter(name, allowed)
		}
		if name == "provider_id" {
			if slices.Contains(vs, "") {
				return q, emptyID(name)
			}
			q.ids = vs
			continue
		}
		if len(vs) > 1 {
			return q, provider.Errorf(provider.BadRequest, "give it once", "%s is given %d times", name, len(vs))
		}
		if err := q.set(name, vs[0]); err != nil {
			return q, err
		}
	}
	return q, nil
}

// emptyID refuses an empty id, which is what a script sends if a variable is not set.
func emptyID(name string) *provider.Error {
	return provider.Errorf(provider.BadRequest, "leave it out to ask for all providers", "%s is empty", name)
}

// set reads a parameter that can be given once.
func (q *query) set(name, value string) (err *provider.Error) {
	switch name {
	case "max_age":
		q.maxAge, err = parseDuration(name, value)
	case "wait":
		if q.wait, err = parseDuration(name, value); err == nil && *q.wait > maxWait {
			err = provider.Errorf(provider.BadRequest, "wait for less, then ask again", "wait is at most %s, not %s", maxWait, *q.wait)
		}
	case "since":
		q.since, err = parseNumber(name, value)
	case "from":
		q.from, err = parseTime(name, value)
	case "window":
		q.window, err = parseWindow(name, value)
	case "step":
		q.step, err = parseStep(name, value)
	case "lines":
		q.lines, err = parseNumber(name, value)
	case "force":
		q.force, err = parseFlag(name, value)
	case "follow":
		q.follow, err = parseFlag(name, value)
	}
	return err
}

func parseDuration(name, value string) (*time.Duration, *provider.Error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return nil, provider.Errorf(provider.BadRequest, "write it as 500ms, 5s or 1m30s", "%s is not a duration: %q", name, shorten(value))
	}
	return &d, nil
}

func parseTime(name, value string) (*time.Time, *provider.Error) {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return nil, provider.Errorf(provider.BadRequest, "write it as 2026-01-02T15:04:05Z", "%s is not a time: %q", name, shorten(value))
	}
	return &t, nil
}

func parseNumber(name, value string) (*uint64, *provider.Error) {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return nil, provider.Errorf(provider.BadRequest, "write it in digits", "%s is not a number: %q", name, shorten(value))
	}
	return &n, nil
}

func parseFlag(name, value string) (bool, *provider.Error) {
	switch value {
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, provider.Errorf(provider.BadRequest, "write "+name+"=1, or leave it out", "%s is neither 1 nor 0: %q", name, shorten(value))
}
