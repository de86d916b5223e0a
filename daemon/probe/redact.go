package probe

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

const (
	maxDetail    = 200 // bytes of a detail, an error, a header
	maxBodyStart = 256 // bytes of a body in the evidence
	maxName      = 256 // bytes of a model's name
	maxVersion   = 64
	// maxExcerpt is how much of a body may go into a detail before it is cleaned.
	// It is more than the window of line, which so sees that something was cut.
	maxExcerpt = 2048
)

// A redactor is the one door through which text from outside enters an
// Observation: it comes out as one printable line, capped, without the key.
type redactor struct{ secrets []string }

// newRedactor knows what must not be shown, in the forms in which a server could
// send it back: the key and each of those that it may be a list of, what the
// headers carry, base_url's user-info, in which the user alone can be a token, and
// what looks like one among a plug-in's arguments, which it may repeat.
func newRedactor(p *config.Provider, base *url.URL, header http.Header) *redactor {
	var secrets []string
	add := func(s string) {
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), strings.ReplaceAll(s, "/", `\/`),
			strings.Trim(strconv.Quote(s), `"`),
		} {
			if form != "" && !slices.Contains(secrets, form) {
				secrets = append(secrets, form)
			}
		}
	}
	for _, secret := range p.ArgumentSecrets() {
		add(secret)
	}
	add(p.Key.Reveal())
	for part := range strings.SplitSeq(p.Key.Reveal(), ",") {
		add(strings.TrimSpace(part))
	}
	for name, values := range header {
		if isPublic(name) {
			continue
		}
		for _, value := range values {
			if name == "Authorization" {
				_, value, _ = strings.Cut(value, " ") // the scheme is no secret
			}
			add(strings.TrimSpace(value))
		}
	}
	if user := base.User.Username(); base.User != nil {
		password, _ := base.User.Password()
		if add(basic(user, password)); password == "" {
			add(user)
		}
		add(password)
	}
	// The longest first: one may contain another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return &redactor{secrets: secrets}
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
	if len(s) <= limit && isPlain(s) && !r.holds(s) {
		return s
	}
	// Only a window is looked at, large enough that what is left of it after
	// the secrets are gone still fills the limit.
	window := s
	if most := 4*limit + 1024; len(s) > most {
		window = r.trim(s[:most])
	}
	for _, secret := range r.secrets {
		window = strings.ReplaceAll(window, secret, "***")
	}
	return provider.OneLine(window, limit)
}

// bytes is line for a body.
func (r *redactor) bytes(b []byte, limit int) string {
	return r.line(string(b[:min(len(b), 4*limit+1025)]), limit)
}

func (r *redactor) holds(s string) bool {
	return slices.ContainsFunc(r.secrets, func(secret string) bool { return strings.Contains(s, secret) })
}

// trim takes the beginning of a secret off the end of a window: the rest of it
// was cut away, so it would not be found.
func (r *redactor) trim(s string) string {
	for _, secret := range r.secrets {
		for n := min(len(secret)-1, len(s)); n > 0; n-- {
			if strings.HasSuffix(s, secret[:n]) {
				s = s[:len(s)-n]
				break
			}
		}
	}
	return s
}

// facts cleans what a provider says of itself.
func (r *redactor) facts(f *Facts) {
	f.Version = r.line(f.Version, maxVersion)
	f.Note = r.line(f.Note, maxDetail)
	for i := range f.Models {
		m := &f.Models[i]
		m.ID = r.line(m.ID, maxName)
		m.Family = r.line(m.Family, maxVersion)
		m.Quantization = r.line(m.Quantization, maxVersion)
	}
	for i := range f.Loaded {
		f.Loaded[i] = r.line(f.Loaded[i], maxName)
	}
}

// isPlain reports whether s is printable ASCII without runs of blanks.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && i > 0 && s[i-1] == ' ' {
			return false
		}
	}
	return true
}

// telling picks the headers that matter to a diagnosis.
func telling(h http.Header, clean *redactor) map[string]string {
	const most = 24
	var out map[string]string
	for name, values := range h {
		if len(values) == 0 || len(out) == most || !isTelling(name) {
			continue
		}
		if out == nil {
			out = make(map[string]string)
		}
		out[clean.line(strings.ToLower(name), maxVersion)] = clean.line(values[0], maxDetail)
	}
	return out
}

func isTelling(name string) bool {
	switch name {
	case "Server", "Content-Type", "Location", "Www-Authenticate", "X-Request-Id", "Via", "Cf-Ray":
		return true
	}
	return strings.HasPrefix(name, "Retry-After") || strings.Contains(name, "Ratelimit") || strings.Contains(name, "RateLimit")
}
