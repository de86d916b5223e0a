package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/providerd/providerd/store/provider"
)

// ErrUnbelievable is the error of every value that is not believed. It does not repeat the
// value.
var ErrUnbelievable = errors.New("a value of another member cannot be believed")

// open reads a value of bounded size into v.
func open(value []byte, most int, v any) error {
	if len(value) > most || !utf8.Valid(value) || deep(value) || json.Unmarshal(value, v) != nil {
		return ErrUnbelievable
	}
	return nil
}

// deep reports whether a JSON text is nested more deeply than any of a fleet.
func deep(value []byte) bool {
	const most = 8
	depth, text, escaped := 0, false, false
	for _, c := range value {
		switch {
		case escaped:
			escaped = false
		case text:
			escaped, text = c == '\\', c != '"'
		case c == '"':
			text = true
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func must(ok ...bool) error {
	if slices.Contains(ok, false) {
		return ErrUnbelievable
	}
	return nil
}

// ParseMember reads one part of what a member lists.
func ParseMember(value []byte) (Member, error) {
	var j memberJSON
	if err := open(value, MaxMember, &j); err != nil {
		return Member{}, err
	}
	tags, ok := splitTags(j.FPs)
	m := Member{Host: j.Host, Version: j.Version, Follows: j.Follows, Since: j.Since, Shares: j.Shares, Tags: tags}
	key, isKey := splitTags(j.Key)
	if len(key) > 0 {
		m.Key = key[0]
	}
	return m, must(ok, isKey, len(key) <= 1, j.Host == hostName(j.Host), j.Version == version(j.Version),
		j.Since >= 0 && j.Since < math.MaxInt32*4, j.Shares >= 0 && j.Shares <= MaxParts*tagsPerPart)
}

func splitTags(s string) ([]Tag, bool) {
	if len(s)%tagText != 0 || len(s) > tagsPerPart*tagText {
		return nil, false
	}
	tags := make([]Tag, len(s)/tagText)
	for i := range tags {
		n, err := base64.RawURLEncoding.Decode(tags[i][:], []byte(s[i*tagText:(i+1)*tagText]))
		if err != nil || n != len(tags[i]) {
			return nil, false
		}
	}
	return tags, true
}

// ParseClaim reads a claim.
func ParseClaim(value []byte) (c Claim, err error) {
	if err := open(value, MaxSmall, &c); err != nil {
		return Claim{}, err
	}
	return c, must(IsMember(c.Member))
}

// ParseAsk reads a refresh.
func ParseAsk(value []byte) (a Ask, err error) {
	if err := open(value, MaxSmall, &a); err != nil {
		return Ask{}, err
	}
	return a, must(IsMember(a.By))
}

// ParseLimit reads a limit.
func ParseLimit(value []byte) (Limit, error) {
	var j limitJSON
	if err := open(value, MaxSmall, &j); err != nil {
		return Limit{}, err
	}
	remaining, ok := duration(j.RemainingMS, time.Millisecond, LongestWait)
	return Limit{j.By, remaining}, must(ok, IsMember(j.By))
}

// duration reads a duration on the wire. A negative one is not believed, and a long one is cut.
func duration(n int64, unit, most time.Duration) (time.Duration, bool) {
	if n < 0 {
		return 0, false
	}
	return time.Duration(min(n, int64(most/unit))) * unit, true
}

// ParseRow reads a row.
func ParseRow(value []byte) (Row, error) {
	var j rowJSON
	if err := open(value, MaxRow, &j); err != nil {
		return Row{}, err
	}
	latency, ok1 := duration(j.LatencyUS, time.Microsecond, maxAge)
	age, ok2 := duration(j.CheckedMS, time.Millisecond, maxAge)
	retry, ok3 := duration(j.RemainingMS, time.Millisecond, LongestWait)
	r := Row{
		Epoch: j.Epoch, By: j.By, State: j.State, Reason: j.Reason, Version: j.Version, Latency: latency, Age: age,
		RetryIn: retry, Refresh: j.RefreshRev, Probes: j.Probes, Models: j.ModelsHash,
	}
	if err := must(ok1, ok2, ok3, j.Epoch > 0, j.RefreshRev >= 0, IsMember(j.By), Known(j.State, j.Reason),
		j.Version == version(j.Version), j.ModelsHash == "" || isHash(j.ModelsHash)); err != nil {
		return Row{}, err
	}
	r.Extra = extra(value)
	return r, nil
}

// extra are the fields of a row that this version does not know.
func extra(value []byte) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(value, &all) != nil {
		return nil
	}
	for _, known := range rowFields {
		delete(all, known)
	}
	for name, v := range all {
		// json.Unmarshal takes a known name in any case.
		if !isWord(name, 32, "_") || slices.ContainsFunc(rowFields, func(known string) bool { return fold(known, name) }) ||
			bytes.ContainsFunc(v, func(r rune) bool { return !provider.Shows(r) }) {
			delete(all, name)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func fold(known, name string) bool { return bytes.EqualFold([]byte(known), []byte(name)) }

// Known reports whether a state and a reason are words of this version, and may stand
// together: most reasons have a state of their own.
func Known(s provider.State, r provider.Reason) bool {
	if !slices.Contains(provider.States[:], s) {
		return false
	}
	for i := range provider.Reasons {
		if m := &provider.Reasons[i]; m.Reason == r {
			return m.State == s || m.State == ""
		}
	}
	return false
}

// ParseHost reads what a machine says of its own servers. Those that cannot be believed are
// left out, and counted.
func ParseHost(value []byte) (Host, error) {
	var j hostJSON
	if err := open(value, MaxHost, &j); err != nil {
		return Host{}, err
	}
	const day = 24 * 60 * 60 * 1000
	if err := must(j.Version == version(j.Version), j.LagMS >= 0 && j.LagMS < day, j.More >= 0 && j.More < 1e6); err != nil {
		return Host{}, err
	}
	h := Host{Version: j.Version, LagMS: j.LagMS, More: j.More}
	for _, raw := range j.Servers {
		if s, ok := parseServer(raw); ok {
			h.Servers = append(h.Servers, s)
		} else {
			h.More++
		}
	}
	return h, nil
}

func parseServer(raw []byte) (s Server, ok bool) {
	if json.Unmarshal(raw, &s) != nil {
		return s, false
	}
	const most = 1 << 20
	wait, ok := duration(s.RetryMS, time.Millisecond, LongestWait)
	s.RetryMS = wait.Milliseconds()
	ok = ok && provider.CanBeID(s.ID) && isWord(s.Kind, 32, "-") && Known(s.State, s.Reason) && s.Version == version(s.Version) &&
		slices.Contains([]provider.Type{provider.Local, provider.Cloud, provider.Generic}, s.Type) &&
		(s.Endpoint == "" || isReachable(s.Endpoint)) && s.Latency >= 0 && s.Latency <= most &&
		(s.Count == nil || *s.Count >= 0 && *s.Count <= most) &&
		len(names(s.Models)) == len(s.Models) && len(names(s.Loaded)) == len(s.Loaded)
	return s, ok
}
