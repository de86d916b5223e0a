package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/transport"
	"github.com/providerd/providerd/daemon/scarce"
	"github.com/providerd/providerd/store/provider"
)

const exampleLookup = "dns://127.0.0.1/example.org?type=A"

// dnsService is a DNS server that must know one name: dns://server/name?type=A, as in RFC
// 4501. RFC 1035, section 4.1.1, defines what the answer means.
var dnsService = kind{
	Kind: config.Kind{
		Name:     "dns",
		Type:     provider.Generic,
		Schemes:  []string{"dns"},
		Example:  exampleLookup,
		Port:     "53",
		Path:     true,
		Query:    true,
		Settings: []string{"expect_answer"},
		Check: func(p *config.Provider) error {
			_, err := readLookup(p)
			return err
		},
		Hints: provider.Hints{
			provider.DNSFailure: "look the name up at the server itself, and correct the zone or base_url",
			provider.Forbidden:  "the server refuses this machine or this name: check its access list",
		},
	},
	title: "a DNS server",
	peculiar: func(p *config.Provider) (asker, error) {
		l, err := readLookup(p)
		if err != nil {
			return nil, err
		}
		return l.ask, nil
	},
}

// A lookup is the question to a DNS server, and what one of the records must match.
type lookup struct {
	question dns.Question
	expect   *regexp.Regexp
}

func readLookup(p *config.Provider) (*lookup, error) {
	wrong := func(format string, args ...any) error {
		return &config.SettingError{Setting: "base_url", Problem: fmt.Sprintf(format, args...), Fix: `base_url = "` + exampleLookup + `"`}
	}
	u, err := url.Parse(p.BaseURL)
	if err != nil {
		return nil, wrong("it cannot be read")
	}
	name := strings.TrimPrefix(u.Path, "/")
	_, valid := dns.IsDomainName(name)
	switch {
	case name == "":
		return nil, wrong("the name to look up is missing")
	case !provider.IsPlain(name):
		return nil, wrong("the name is not ASCII: write it as xn--…")
	case !valid:
		return nil, wrong("%q is not a name", name)
	}
	l := &lookup{question: dns.Question{Name: dns.Fqdn(name), Qtype: dns.TypeA, Qclass: dns.ClassINET}}
	for element := range strings.FieldsFuncSeq(u.RawQuery, func(c rune) bool { return c == ';' || c == '&' }) {
		key, value, _ := strings.Cut(element, "=")
		ok := true
		switch strings.ToLower(key) {
		case "type":
			l.question.Qtype, ok = numbered(dns.StringToType, value)
			ok = ok && isRecordType(l.question.Qtype)
		case "class":
			l.question.Qclass, ok = numbered(dns.StringToClass, value)
		default:
			return nil, wrong("%q is neither type nor class", key)
		}
		if !ok {
			return nil, wrong("%q is not a record %s", value, strings.ToLower(key))
		}
	}
	if p.Expect.Answer != "" {
		if l.expect, err = regexp.Compile(p.Expect.Answer); err != nil {
			return nil, &config.SettingError{Setting: "expect_answer", Problem: err.Error(), Fix: `expect_answer = "^192[.]0[.]2[.]"`}
		}
	}
	return l, nil
}

// numbered finds a number by its name, or reads it as it is.
func numbered(names map[string]uint16, text string) (uint16, bool) {
	if n, ok := names[strings.ToUpper(text)]; ok {
		return n, true
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err == nil
}

// isRecordType excludes types that no record has: zone transfers, "any", and those that
// belong to a message (RFC 6895, section 3.1).
func isRecordType(t uint16) bool {
	return t != 0 && t != dns.TypeOPT && (t < 128 || t > 255)
}

func (l *lookup) String() string {
	text := l.question.Name + " " + dns.Type(l.question.Qtype).String()
	if l.question.Qclass != dns.ClassINET {
		text += " " + dns.Class(l.question.Qclass).String()
	}
	return text
}

// ask asks once: over UDP, and over TCP if the answer does not fit.
func (l *lookup) ask(ctx context.Context, r *run) finding {
	began := r.p.now()
	reply, err := l.exchange(ctx, r)
	r.latency = r.p.now().Sub(began)
	if err != nil {
		found := r.unlessCut(l.unanswered(r, err))
		r.checked(began, l.String(), "", cmp.Or(found.detail, err.Error()))
		return found
	}
	r.answered = true
	found := l.judge(reply)
	r.checked(began, l.String(), l.summary(reply), "")
	return found
}

// judge decides what an answer to this very question means.
func (l *lookup) judge(reply *dns.Msg) finding {
	records, alias := l.records(reply)
	switch {
	case reply.Rcode == dns.RcodeNameError:
		return finding{saw: provider.DNSFailure, detail: "the server has no such name: " + l.question.Name}
	case reply.Rcode == dns.RcodeServerFailure:
		return finding{saw: provider.DNSFailure, detail: "the server cannot resolve the name: SERVFAIL"}
	case reply.Rcode == dns.RcodeRefused:
		return finding{saw: provider.Forbidden, detail: "the server refuses to look up " + l.question.Name}
	case reply.Rcode != dns.RcodeSuccess:
		return finding{saw: provider.BadResponse, detail: "the server answered " + rcode(reply)}
	case len(records) == 0 && alias != "":
		return finding{saw: provider.DNSFailure, detail: fmt.Sprintf("no record of that type: %s is an alias of %s", l.question.Name, alias)}
	case len(records) == 0:
		return finding{saw: provider.DNSFailure, detail: "no record of that type: " + l.String()}
	case l.expect != nil && !slices.ContainsFunc(records, l.expect.MatchString):
		return finding{saw: provider.BadResponse, detail: fmt.Sprintf("no record matches expect_answer %q: %s", l.expect, listed(records))}
	}
	return finding{saw: provider.OK, detail: listed(records)}
}

// records are the data of the records that were asked for, as in a zone file, and alias is
// the name that they belong to. They are sorted, because many servers change the order each
// time and the row should stay the same.
func (l *lookup) records(reply *dns.Msg) (data []string, alias string) {
	for _, rr := range reply.Answer {
		h := rr.Header()
		if cname, ok := rr.(*dns.CNAME); ok {
			alias = cname.Target
		}
		if h.Rrtype == l.question.Qtype && h.Class == l.question.Qclass {
			data = append(data, strings.TrimPrefix(rr.String(), h.String()))
		}
	}
	slices.Sort(data)
	return data, alias
}

// summary is "NOERROR: 192.0.2.1".
func (l *lookup) summary(reply *dns.Msg) string {
	records, _ := l.records(reply)
	return strings.TrimSuffix(rcode(reply)+": "+listed(records), ": ")
}

// listed names a few of the records: there can be thousands.
func listed(records []string) string {
	const most = 8
	if n := len(records) - most; n > 0 {
		return strings.Join(records[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(records, ", ")
}

func rcode(reply *dns.Msg) string {
	if name, ok := dns.RcodeToString[reply.Rcode]; ok {
		return name
	}
	return fmt.Sprintf("code %d", reply.Rcode)
}

// unanswered decides what it means that no answer came.
func (l *lookup) unanswered(r *run, err error) finding {
	stray, isStray := err.(*strayError)
	switch {
	case scarce.Is(err):
		return r.failure(err)
	case isStray && stray.heard != "":
		return finding{saw: provider.WrongService, detail: fmt.Sprintf("it does not speak DNS; it sent %q", r.p.clean.line(stray.heard, maxDetail))}
	case isStray:
		return finding{saw: provider.BadResponse, detail: stray.why}
	case transport.IsAny(err, transport.Reset): // Windows says so if nothing listens: there is no connection to reset
		return finding{saw: provider.ConnectionRefused, detail: err.Error()}
	case transport.IsTimeout(err) && r.trace.At() != transport.Resolving:
		return finding{saw: provider.Hung, detail: fmt.Sprintf("no answer within %s", r.p.provider.Timeout.Round(time.Millisecond))}
	}
	return r.failure(err)
}
