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

// A layer is one step of a probe and its result, as the daemon sent it: not yet escaped
// for a screen.
type layer struct {
	name    string
	asked   string // what was sent; empty for a step that sends nothing
	came    string
	tookMS  float64
	headers []string // of the answer
	body    string   // its beginning
}

// layers are the steps of a probe, from the host's name to the answers.
func layers(d *provider.Diagnostics) []layer {
	var all []layer
	if r := d.Resolve; r != nil {
		came := r.Host + " is " + strings.Join(r.Addresses, ", ")
		all = append(all, layer{name: "resolve", came: outcome(came, r.Host, r.Error), tookMS: r.TookMS})
	}
	for _, step := range d.Dial {
		all = append(all, layer{name: "connect", came: outcome(step.Address, step.Address, step.Error), tookMS: step.TookMS})
	}
	if l := d.Listener; l != nil {
		all = append(all, layer{name: "listener", came: whoListens(l)})
		if l.KeyWithheld != "" {
			all = append(all, layer{name: "key", came: "not sent: " + l.KeyWithheld})
		}
	}
	if t := d.TLS; t != nil {
		all = append(all, layer{name: "tls", came: outcome(certificate(t), "handshake", t.Error), tookMS: t.TookMS})
		all = append(all, clientLayers(t)...)
	}
	for i := range d.Requests {
		all = append(all, requestLayer(&d.Requests[i]))
	}
	for _, c := range d.Checks {
		answer := cmp.Or(c.Answer, "none")
		all = append(all, layer{name: "check", asked: c.Asked, came: outcome(answer, answer, c.Error), tookMS: c.TookMS})
	}
	return all
}

// whoListens is who listens on the connection's other end, as far as the daemon knows.
func whoListens(l *provider.ListenerStep) string {
	who := []string{l.Address}
	if l.UID != nil {
		who = append(who, "uid "+strconv.FormatUint(uint64(*l.UID), 10))
	}
	if l.PID != 0 {
		who = append(who, "pid "+strconv.Itoa(l.PID))
	}
	return strings.Join(who, ", ")
}

func requestLayer(x *provider.Exchange) layer {
	l := layer{name: "request", asked: x.Method + " " + x.URL, tookMS: x.TookMS, body: x.BodyStart}
	if x.Reused {
		l.asked += " (kept connection)"
	}
	answer := fmt.Sprintf("%d, %d bytes", x.Status, x.BodyBytes)
	if x.Status == 0 {
		answer = "none"
	}
	l.came = outcome(answer, answer, x.Error)
	for _, name := range slices.Sorted(maps.Keys(x.Headers)) {
		l.headers = append(l.headers, name+": "+x.Headers[name])
	}
	return l
}

// outcome is the result of a step or, if it failed, what it tried and the error.
func outcome(result, attempt, failure string) string {
	if failure != "" {
		return attempt + ": " + failure
	}
	return result
}

// clientLayers are the client certificate that the server asked for, and the changed
// files that could not be used.
func clientLayers(t *provider.TLSStep) (all []layer) {
	if c := t.ClientCertificate; c != nil {
		came := "certificate wanted, none sent"
		if c.Shown != "" {
			came = fmt.Sprintf("certificate wanted, sent %s, valid until %s", c.Shown, c.NotAfter.Format("2006-01-02"))
		}
		if len(c.Takes) > 0 {
			came += "; the server accepts those signed by " + strings.Join(c.Takes, " or ")
		}
		all = append(all, layer{name: "client", came: came})
	}
	if t.Outdated != "" {
		all = append(all, layer{name: "files", came: "still using the old files: " + t.Outdated})
	}
	return all
}

func certificate(t *provider.TLSStep) string {
	parts := []string{t.Version}
	if t.Subject != "" {
		parts = append(parts, "for "+t.Subject)
	}
	if t.Issuer != "" {
		parts = append(parts, "by "+t.Issuer)
	}
	switch days := t.DaysLeft; {
	case days == nil:
	case *days < 0:
		parts = append(parts, "expired "+strconv.Itoa(-*days)+" days ago")
	default:
		parts = append(parts, strconv.Itoa(*days)+" days left")
	}
	return strings.Join(parts, ", ")
}

// lines shows a layer as names and values.
func (l *layer) lines() [][2]string {
	came := provider.Printable(l.came)
	if l.tookMS > 0 {
		came += " (" + latency(l.tookMS) + ")"
	}
	if l.asked == "" {
		return [][2]string{{l.name, came}}
	}
	lines := [][2]string{{l.name, provider.Printable(l.asked)}, {"  answer", came}}
	for _, h := range l.headers {
		lines = append(lines, [2]string{"  header", provider.Printable(h)})
	}
	if l.body != "" {
		lines = append(lines, [2]string{"  body", provider.Printable(l.body)})
	}
	return lines
}
