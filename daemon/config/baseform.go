package config

import (
	"errors"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// Addresses are often copied from where they are used: with the path of a request, with the
// quotes of a .env file, or changed by a chat window. This file recognises those forms and
// proposes the address that was meant. It never uses it instead.

var (
	// requestEnd is what a request adds to an address, for any API that a kind has.
	requestEnd = regexp.MustCompile(`(?i)(?:(?:/chat/completions|/completions?|/embeddings|/responses)(?:/v\d+)?|/messages(?:/count_tokens|/batches)?` +
		`|/models(?:/[^/]+)?|/rerank|/moderations|/audio/\w+|/images/\w+|/api/(?:chat|generate|tags|version|ps|show|pull|embed|embeddings))$`)
	// halfEnd is the beginning of such an end.
	halfEnd = regexp.MustCompile(`(?i)(/v\d+)/chat$`)
	// pageEnd is the same for pages whose names may also be part of an own path.
	pageEnd = regexp.MustCompile(`(?i)(?:/healthz?|/health/\w+|/metrics|/props|/slots|/version|/info|/docs|/openapi\.json|/generate|/ui|/index\.html)$`)
	version = regexp.MustCompile(`(?i)/v\d+(?:alpha|beta)?\d*(?:/|$)`)
	doubled = regexp.MustCompile(`(?i)(/v\d+(?:alpha|beta)?\d*)(/v\d+(?:alpha|beta)?\d*)$`)

	// schemes matches a scheme that is mistyped or given twice.
	schemes = regexp.MustCompile(`(?i)^(?:h*t+p+s?|wss?)(?:[:;]+/{0,2}|//)`)
	setting = regexp.MustCompile(`^(?:export\s+|set\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*`)
)

// knownBetter says what is wrong with a readable address, as far as that is known without a
// request, and which one is right; both are empty if nothing is wrong.
func (k *Kind) knownBetter(endpoint string) (why, better string) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || k.Type == provider.Generic || u.Scheme != "http" && u.Scheme != "https":
		return "", ""
	case !isPlainHost(endpoint):
		return "has a placeholder instead of a host", k.exampleBase()
	}
	if u.Scheme == "http" && strings.HasPrefix(k.BaseURL, "https:") && isVendors(endpoint, k.BaseURL) {
		return "has http, which sends the key in plain text to " + u.Host, k.BaseURL
	}
	all := k.BasesInstead(endpoint)
	if len(all) == 0 || k.checked(endpoint) != endpoint { // the kind reports it itself
		return "", ""
	}
	given := strings.TrimRight(u.Path, "/")
	trimmed := strings.TrimRight(given, afterwards)
	end, twice := requestEnd.FindString(trimmed)+halfEnd.FindString(trimmed), k.twice(trimmed)
	switch {
	case end != "":
		return "ends with " + shownPath(end) + ", which requests add themselves", all[0]
	case twice != "":
		return "has " + twice + " twice", all[0]
	case trimmed != given && !strings.HasSuffix(given, "/.") && !strings.HasSuffix(given, "/.."):
		return "ends with a punctuation mark", all[0]
	case strings.Contains(u.Path, "//"):
		return "has two slashes in a row", all[0]
	case k.isBesideV1() && strings.HasSuffix(u.Path, "/v1"):
		return "ends with /v1, but some pages of " + k.Name + " are outside it", all[0]
	case isVendors(endpoint, k.BaseURL) && k.ownPath() == "":
		return "has the path " + shownPath(u.Path) + ", but " + k.Name + " needs none", all[0]
	case isVendors(endpoint, k.BaseURL):
		return "lacks the vendor's path " + k.ownPath(), all[0]
	}
	return "", ""
}

// BasesInstead are the base URLs that may be meant if nothing like this kind answers at
// the endpoint, the likeliest first. All are at the same host.
func (k *Kind) BasesInstead(endpoint string) []string {
	u, err := url.Parse(endpoint)
	if err != nil || k.Type == provider.Generic || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	var found []string
	for _, p := range k.pathsInstead(strings.TrimRight(u.Path, "/"), isVendors(endpoint, k.BaseURL)) {
		at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: p}
		if s := at.String(); s != endpoint && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	return found[:min(len(found), 2)]
}

// pathsInstead are the paths of BasesInstead.
func (k *Kind) pathsInstead(given string, vendors bool) []string {
	cut := k.meantPath(given)
	own := k.ownPath()
	switch {
	case own == "" && vendors && cut != "" && cut != "/v1":
		return []string{""}
	case own == "" && (k.isBesideV1() || cut != given):
		for _, end := range []string{"/api/v1", "/api/v0", "/v1", "/api"} {
			if before, ok := strings.CutSuffix(cut, end); ok && k.OpenAI == "/v1" {
				return []string{before, cut}
			}
		}
	case own != "" && vendors && cut != own && (!version.MatchString(cut) || cut == "/v1"):
		return []string{own}
	case own != "" && !version.MatchString(cut):
		return []string{cut + "/v1", path.Join("/", cut, own), own}
	}
	return []string{cut}
}

// ownPath is where a kind's API is below its host, and what a base URL ends with.
func (k *Kind) ownPath() string {
	if k.BaseURL == "" && k.OpenAI == "/" {
		return "/v1"
	}
	u, err := url.Parse(k.BaseURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

// isBesideV1 reports whether a kind has OpenAI's API below /v1, and other pages outside it.
func (k *Kind) isBesideV1() bool {
	return k.Type == provider.Local && k.OpenAI == "/v1" && k.ownPath() == ""
}

// afterwards are the punctuation marks of the text that an address was copied from.
const afterwards = " ,;.|>)]}\"'"

// meantPath is a clean path without what a request adds to it and without repetitions.
func (k *Kind) meantPath(given string) string {
	for {
		cut := strings.TrimRight(path.Clean("/"+strings.TrimRight(given, afterwards)), "/")
		cut = pageEnd.ReplaceAllString(requestEnd.ReplaceAllString(cut, ""), "")
		cut = halfEnd.ReplaceAllString(cut, "$1")
		cut = strings.TrimRight(strings.TrimSuffix(cut, k.twice(cut)), "/")
		if cut == given {
			return version.ReplaceAllStringFunc(cut, strings.ToLower)
		}
		given = cut
	}
}

// shownPath is a path as far as it may be shown: it may contain a key by mistake.
func shownPath(p string) string {
	if !holdsSecret(p) {
		return p
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	if holdsSecret(first) {
		first = ""
	}
	return "/" + first + "/…"
}

// twice is what is repeated at the end of a path; empty: nothing.
func (k *Kind) twice(given string) string {
	if m := doubled.FindStringSubmatch(given); len(m) > 0 && strings.EqualFold(m[1], m[2]) {
		return m[2]
	}
	if own := k.ownPath(); own != "" && strings.HasSuffix(given, own+own) {
		return own
	}
	return ""
}

// garbled says how a host was changed when it was copied; empty if it was not. Non-ASCII
// letters may be part of the name.
func garbled(rest string) string {
	host, _, _ := strings.Cut(rest, "/")
	for _, r := range host {
		switch {
		case r == '\\':
			return "contains a backslash"
		case isInvisible(r):
			return "contains an invisible character"
		case r != ascii(r):
			return "contains the full-width character " + string(r) + " instead of " + string(ascii(r))
		}
	}
	return ""
}

// ascii is the ASCII character for a full-width one, which input methods for Chinese and
// Japanese produce.
func ascii(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '。' || r == '｡':
		return '.'
	case r == '\u3000':
		return ' '
	}
	return r
}

// Narrowed is a text with ASCII characters instead of full-width ones.
func Narrowed(s string) string { return strings.Map(ascii, s) }

// repaired is the address that was meant by a text that is not one; empty if that is not
// clear, or if the text may contain a secret.
func (k *Kind) repaired(raw string) string {
	if !slices.Contains(k.schemes(), "http") || k.Query {
		return ""
	}
	s := strings.Map(func(r rune) rune {
		switch {
		case isInvisible(r):
			return -1
		case r == '\\':
			return '/'
		}
		return ascii(r)
	}, raw)
	s = strings.Trim(setting.ReplaceAllString(strings.TrimSpace(s), ""), quotes+" \t\r\n<>,;")
	if slices.Contains(k.schemes(), "unix") && socketForm.MatchString(s) {
		return meantSocket(s)
	}
	scheme := ""
	for {
		m := schemes.FindString(s)
		if m == "" {
			break
		}
		scheme, s = strings.TrimRight(strings.ToLower(m), ":;/"), strings.TrimSpace(s[len(m):])
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	if s = k.meantHost(s, scheme); s == "" {
		return ""
	}
	switch {
	case scheme == "":
		scheme = k.likelyScheme(s)
	case strings.HasSuffix(scheme, "s"):
		scheme = "https"
	default:
		scheme = "http"
	}
	fixed := scheme + "://" + s
	a, f := readBaseURL(k, fixed)
	if f != nil || strings.Contains(s, "@") || holdsSecret(s) || !isPlainHost(a.endpoint) {
		return ""
	}
	return k.checked(a.better)
}

// checked is an address, or what the kind itself says to write instead.
func (k *Kind) checked(base string) string {
	var setting *SettingError
	if k.Check == nil || !errors.As(k.Check(&Provider{BaseURL: base, Endpoint: base}), &setting) {
		return base
	}
	if name, value, ok := strings.Cut(setting.Fix, " = "); ok && name == "base_url" {
		return strings.Trim(value, `"`)
	}
	return base
}

// holdsSecret reports whether any part of an address may be a key.
func holdsSecret(s string) bool {
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("/:.@?#&=", r) })
	return maskSecrets(s) != s || slices.ContainsFunc(parts, looksSecret)
}

// isPlainHost prevents sentences and file names from being proposed as hosts.
func isPlainHost(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" {
		return false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return true
	}
	return !strings.ContainsFunc(u.Hostname(), func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && r < 0x80
	})
}

// likelyScheme is the scheme for an address without one: https over the internet, http on this
// machine and its network.
func (k *Kind) likelyScheme(hostAndPath string) string {
	u, err := url.Parse("http://" + hostAndPath)
	if err != nil {
		return "http"
	}
	_, err = netip.ParseAddr(u.Hostname())
	dotted := strings.Contains(u.Hostname(), ".") && err != nil && !IsLoopback(u.Hostname())
	if u.Port() == "443" || dotted && (u.Port() == "" || k.Type == provider.Cloud) && u.Port() != "80" {
		return "https"
	}
	return "http"
}
