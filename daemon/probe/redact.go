package probe

import (
	"hash/maphash"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe/intermediary"
	"github.com/providerd/providerd/daemon/probe/spelling"
	"github.com/providerd/providerd/store/provider"
)

const (
	maxDetail    = 200 // bytes of a detail, an error, a header
	maxHint      = 400
	maxBodyStart = 256 // bytes of a body in the evidence
	maxName      = 256 // bytes of a model's name
	maxVersion   = 64
	// maxExcerpt is how much of a body may go into a detail before it is cleaned. It is
	// more than the window of line, so that line sees that something was cut.
	maxExcerpt = 2048
)

// reach is how far the quick look goes beyond what is shown of a text, so that it sees a
// secret that begins in what is shown.
const reach = 128

// A redactor cleans every text from outside that enters an Observation: the result is one
// printable line, capped, without the provider's secrets, however they are spelled.
type redactor struct {
	secrets *spelling.Secrets
	clean   [4]uint64 // hashes of the last texts that were read with care and were clean
	read    int       // bytes with care, in this probe
}

// maxCareful is how many bytes are read with care in one probe. An honest server sends less
// than that in its status lines, headers and bodies.
const maxCareful = 128 << 10

// begin prepares for another probe.
func (r *redactor) begin() { r.read = 0 }

var hashSeed = maphash.MakeSeed()

// newRedactor collects what must not be shown: the key, and each key if it may be a list;
// what the headers carry; the user-info of base_url, where the user alone can be a token,
// and of the proxy; and plug-in arguments that look like secrets, because a plug-in may
// repeat them.
func newRedactor(p *config.Provider, base, proxy *url.URL, header http.Header) *redactor {
	secrets := append(p.ArgumentSecrets(), p.Key.Reveal())
	for part := range strings.SplitSeq(p.Key.Reveal(), ",") {
		secrets = append(secrets, strings.TrimSpace(part))
	}
	for name, values := range header {
		if isPublic(name) {
			continue
		}
		for _, value := range values {
			if name == "Authorization" {
				_, value, _ = strings.Cut(value, " ") // the scheme is no secret
			}
			secrets = append(secrets, strings.TrimSpace(value))
		}
	}
	secrets = append(secrets, spelling.InURL(base)...)
	if proxy != nil {
		secrets = append(secrets, spelling.InURL(proxy)...)
	}
	// The longest first: one may contain another.
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return &redactor{secrets: spelling.New(secrets)}
}

// isPublic lists the request headers that are the same for everybody. All others count as
// secret, so a kind's own header needs no entry here.
func isPublic(name string) bool {
	switch name {
	case "User-Agent", "Accept", "Accept-Encoding", "Anthropic-Version":
		return true
	}
	return false
}

// line cleans s and caps it at limit bytes, ending in … if it was cut.
func (r *redactor) line(s string, limit int) string {
	line, read := s, len(s)
	if len(s) > limit || !provider.IsPlain(s) {
		line, read = provider.FoldLine(s, limit)
	}
	switch r.look(s[:min(len(s), read+reach)]) {
	case spelling.Clean:
		return provider.CutLine(line, limit)
	case spelling.Tangled:
		return spelling.Masked
	}
	// Only a window is searched. It must be large enough to fill the limit after its
	// secrets are masked. Usually a small one is.
	for size := read + reach; ; size *= 2 {
		part := s
		if size = min(size, window(limit)); size < len(s) {
			part = r.trim(s[:size])
		}
		line, ok := r.masked(part)
		if !ok {
			return spelling.Masked
		}
		if len(line) > limit || size >= min(len(s), window(limit)) {
			return provider.CutLine(line, limit)
		}
	}
}

// look reports whether there are secrets in s. A provider repeats itself with every probe,
// and a text that was read with care is not read again.
func (r *redactor) look(s string) spelling.Verdict {
	if !r.secrets.Doubts(s) {
		return spelling.Clean
	}
	hash := maphash.String(hashSeed, s)
	if slices.Contains(r.clean[:], hash) {
		return spelling.Clean
	}
	if r.read += len(s); r.read > maxCareful {
		return spelling.Tangled
	}
	v := r.secrets.Look(s)
	if v == spelling.Clean {
		copy(r.clean[1:], r.clean[:])
		r.clean[0] = hash
	}
	return v
}

// masked is one line without secrets; ok is false if finding them would take too much work.
func (r *redactor) masked(s string) (line string, ok bool) {
	if r.read += len(s); r.read > maxCareful {
		return "", false
	}
	if s, ok = r.secrets.Mask(s); !ok {
		return "", false
	}
	line, _ = provider.FoldLine(s, len(s))
	if r.secrets.Unusual() { // a password may have blanks, and blanks were folded
		return r.secrets.Mask(line)
	}
	return line, true
}

// window is how much of a text is searched; limit bytes of it are shown.
func window(limit int) int { return 4*limit + 1024 }

// bytes is line for a body. Usually its beginning is enough.
func (r *redactor) bytes(b []byte, limit int) string {
	if few := 2*limit + reach; len(b) > few {
		s := string(b[:few])
		if line, read := provider.FoldLine(s, limit); len(line) > limit && !r.secrets.Doubts(s[:min(len(s), read+reach)]) {
			return provider.CutLine(line, limit)
		}
	}
	return r.line(string(b[:min(len(b), window(limit)+1)]), limit)
}

// trim removes the beginning of a secret from the end of a truncated text: without the
// rest, it would not be found.
func (r *redactor) trim(s string) string { return s[:r.secrets.Begun(s)] }

// facts cleans what a provider reports about itself.
func (r *redactor) facts(f *Facts) {
	f.Version = r.line(f.Version, maxVersion)
	f.Note = r.line(f.Note, maxDetail)
	for i := range f.Models {
		m := &f.Models[i]
		m.ID = r.line(m.ID, maxName)
		for j := range m.Aliases {
			m.Aliases[j] = r.line(m.Aliases[j], maxName)
		}
		m.Family = r.line(m.Family, maxVersion)
		m.Quantization = r.line(m.Quantization, maxVersion)
	}
	for i := range f.Loaded {
		f.Loaded[i] = r.line(f.Loaded[i], maxName)
	}
}

// telling picks the headers that matter to a diagnosis. They are usually the same as last
// time; then the same map is returned, which nobody may change. Headers that show who
// answered matter if the answer may not be the provider's.
func (p *Prober) telling(h http.Header, doubtful bool) map[string]string {
	const most = 24
	var room [most]header
	found := room[:0]
	same := true
	for name, values := range h {
		if len(values) == 0 || len(found) == most || !isTelling(name) && !(doubtful && intermediary.IsGivenAway(name)) {
			continue
		}
		value := values[0]
		if name == "Location" {
			value = leadsTo(value)
		}
		t := header{p.clean.line(strings.ToLower(name), maxVersion), p.clean.line(value, maxDetail)}
		was, ok := p.told[t.name]
		same = same && ok && was == t.value
		found = append(found, t)
	}
	if same && len(found) == len(p.told) {
		return p.told
	}
	p.told = nil
	if len(found) > 0 {
		told := make(map[string]string, len(found))
		for _, t := range found {
			told[t.name] = t.value
		}
		p.told = p.common.answered(told)
	}
	return p.told
}

type header struct{ name, value string }

// leadsTo is the target of a redirect, to be shown: see withoutValues.
func leadsTo(location string) string {
	to, err := url.Parse(location)
	if err != nil {
		before, _, _ := strings.Cut(location, "?")
		return before
	}
	return withoutValues(to)
}

// withoutValues is an address without what may grant access: a user, a fragment, and the
// values of its query, where logins and portals put tokens and signatures. The names stay,
// because they show whose page it is.
func withoutValues(u *url.URL) string {
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment, bare.RawFragment = nil, "", "", ""
	if u.RawQuery == "" {
		return bare.String()
	}
	parts := strings.Split(u.RawQuery, "&")
	for i, part := range parts {
		if name, _, named := strings.Cut(part, "="); named {
			parts[i] = name + "=…"
		} else {
			parts[i] = "…"
		}
	}
	return bare.String() + "?" + strings.Join(parts, "&")
}

func isTelling(name string) bool {
	switch name {
	case "Server", "Content-Type", "Content-Encoding", "Location", "Www-Authenticate", "X-Request-Id", "Via", "Cf-Ray":
		return true
	}
	return strings.HasPrefix(name, "Retry-After") || strings.Contains(name, "Ratelimit") || strings.Contains(name, "RateLimit")
}
