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
	// maxExcerpt is how much of a body may go into a detail before it is cleaned.
	// It is more than the window of line, which so sees that something was cut.
	maxExcerpt = 2048
)

// reach is how far beyond what is shown of a text a quick look goes: a secret that
// begins in what is shown is then seen.
const reach = 128

// A redactor is the one door through which text from outside enters an
// Observation: it comes out as one printable line, capped, without the provider's
// secrets, however they are spelled.
type redactor struct {
	secrets *spelling.Secrets
	clean   [4]uint64 // hashes of the last texts that were read with care, and were clean
	read    int       // bytes with care, in this probe
}

// maxCareful is how many bytes are read with care in one probe. All that an honest
// server says in its status lines, headers and bodies is less.
const maxCareful = 128 << 10

// begin begins a probe.
func (r *redactor) begin() { r.read = 0 }

var hashSeed = maphash.MakeSeed()

// newRedactor knows what must not be shown: the key and each of those that it may be
// a list of, what the headers carry, base_url's user-info, in which the user alone can
// be a token, the proxy's, and what looks like one among a plug-in's arguments, which
// it may repeat.
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

// isPublic knows the request headers that are the same for everybody. All others
// count as secret, so that a kind's own one needs no entry here.
func isPublic(name string) bool {
	switch name {
	case "User-Agent", "Accept", "Accept-Encoding", "Anthropic-Version":
		return true
	}
	return false
}

// line cleans s and caps it at limit bytes, ending in … where it was cut.
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
	// Only a window is looked at, large enough that what is left of it after the
	// secrets are gone still fills the limit. Mostly a small one is.
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

// look says whether there are secrets in s. What a provider says it says again with the
// next probe: it is not read with care twice.
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

// masked is one line without secrets; it is not ok when it takes too much work to
// say where they are.
func (r *redactor) masked(s string) (line string, ok bool) {
	if r.read += len(s); r.read > maxCareful {
		return "", false
	}
	if s, ok = r.secrets.Mask(s); !ok {
		return "", false
	}
	line, _ = provider.FoldLine(s, len(s))
	if r.secrets.Unusual() { // blanks were folded, of which a password may have some
		return r.secrets.Mask(line)
	}
	return line, true
}

// window is how much of a text is looked at, of which limit bytes are shown.
func window(limit int) int { return 4*limit + 1024 }

// bytes is line for a body. Mostly its beginning is all that it takes.
func (r *redactor) bytes(b []byte, limit int) string {
	if few := 2*limit + reach; len(b) > few {
		s := string(b[:few])
		if line, read := provider.FoldLine(s, limit); len(line) > limit && !r.secrets.Doubts(s[:min(len(s), read+reach)]) {
			return provider.CutLine(line, limit)
		}
	}
	return r.line(string(b[:min(len(b), window(limit)+1)]), limit)
}

// trim takes the beginning of a secret off the end of a text that was cut: the rest
// of it was cut away, so it would not be found.
func (r *redactor) trim(s string) string { return s[:r.secrets.Begun(s)] }

// facts cleans what a provider says of itself.
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

// telling picks the headers that matter to a diagnosis. A server mostly says in them
// what it said the last time: then they are the same ones, which nobody may change.
// Those that tell who answered matter where the answer may not be the provider's.
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

// leadsTo is where a redirect leads, to be shown: see withoutValues.
func leadsTo(location string) string {
	to, err := url.Parse(location)
	if err != nil {
		before, _, _ := strings.Cut(location, "?")
		return before
	}
	return withoutValues(to)
}

// withoutValues is an address without what may let its reader in: a user, a fragment, and
// the values of its query, in which logins and portals have tokens and signatures. The
// names stay, for they tell whose page it is.
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
