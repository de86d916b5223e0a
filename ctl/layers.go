package ctl

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// layers shows what a probe saw, from the address up to the verdict, as names
// and values.
func layers(d *provider.Diagnostics) [][2]string {
	lines := [][2]string{{"endpoint", printable(d.Endpoint)}}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, [2]string{name, printable(value)})
		}
	}
	if r := d.Resolve; r != nil {
		add("resolve", outcome(r.Host+" is "+strings.Join(r.Addresses, ", "), r.Host, r.Error, r.TookMS))
	}
	for _, step := range d.Dial {
		add("connect", outcome(step.Address, step.Address, step.Error, step.TookMS))
	}
	if t := d.TLS; t != nil {
		add("tls", outcome(certificate(t), "handshake", t.Error, t.TookMS))
	}
	for _, x := range d.Requests {
		addExchange(add, x)
	}
	for _, c := range d.Checks {
		answer := cmp.Or(c.Answer, "none")
		add("check", c.Asked)
		add("  answer", outcome(answer, answer, c.Error, c.TookMS))
	}
	addVerdict(add, d.Verdict)
	return lines
}

// outcome is what a step led to: its result, or what it was about to do and the
// error.
func outcome(result, attempt, failure string, tookMS float64) string {
	if failure != "" {
		result = attempt + ": " + failure
	}
	if tookMS > 0 {
		result += " (" + latency(tookMS) + ")"
	}
	return result
}

func certificate(t *provider.TLSStep) string {
	parts := []string{t.Version}
	if t.Subject != "" {
		parts = append(parts, "for "+t.Subject)
	}
	if t.Issuer != "" {
		parts = append(parts, "by "+t.Issuer)
	}
	if t.DaysLeft != nil {
		parts = append(parts, strconv.Itoa(*t.DaysLeft)+" days left")
	}
	return strings.Join(parts, ", ")
}

func addExchange(add func(name, value string), x provider.Exchange) {
	attempt := x.Method + " " + x.URL
	if x.Reused {
		attempt += " (kept connection)"
	}
	add("request", attempt)
	answer := fmt.Sprintf("%d, %d bytes", x.Status, x.BodyBytes)
	if x.Status == 0 {
		answer = "none"
	}
	add("  answer", outcome(answer, answer, x.Error, x.TookMS))
	for _, name := range slices.Sorted(maps.Keys(x.Headers)) {
		add("  header", name+": "+x.Headers[name])
	}
	if x.BodyStart != "" {
		add("  body", x.BodyStart)
	}
}

func addVerdict(add func(name, value string), v provider.Verdict) {
	add("verdict", fmt.Sprintf("%s (%s)", v.State, v.Reason))
	if v.Saw != "" {
		rule := string(v.Saw)
		if v.Definite {
			rule += ", definite: it decides at once"
		} else if v.Fall > 0 {
			rule += fmt.Sprintf(", doubtful: %d in a row, %d change the state", v.Doubts, v.Fall)
		}
		add("  rule", rule)
	}
	add("  detail", v.Detail)
	add("  hint", v.Hint)
	if !v.NextCheck.IsZero() {
		add("next", stamp(v.NextCheck))
	}
}
