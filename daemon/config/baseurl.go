package config

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// An address is a base URL in normal form: addresses that mean the same are equal, so that a
// reload does not see a change.
type address struct {
	url      string // with user-info
	endpoint string // without

	// odd is what looks like a mistake in it; better is the address that was meant, or
	// empty.
	odd, better string
}

// address finds where the provider is: from the file, or else the vendor's own variable, or
// else the vendor's default.
func (t *table) address(p *Provider, kind *Kind, base string, given bool) {
	at := t.at("base_url")
	var a address
	var f *flaw
	switch {
	case kind.Address != nil && t.values["base_url"] != nil:
		t.reject(t.name("base_url"), flawf("leave it out", "kind %s takes no base_url", kind.Name))
		return
	case kind.Address != nil:
		p.BaseURL = kind.Address(p)
		p.Endpoint = p.BaseURL
		return
	case given:
		a, f = parseBaseURL(kind, base)
	case t.values["base_url"] != nil:
		return // of the wrong type, and reported
	default:
		f = t.defaultAddress(p, kind)
	}
	if f != nil {
		t.reject(at, f)
		return
	}
	if given {
		p.BaseURL, p.Endpoint, p.BaseURLGiven = a.url, a.endpoint, true
		if a.odd != "" {
			t.warn(at, "base_url %s: write base_url = \"%s\"", maskSecrets(printable(a.odd)), maskSecrets(a.better))
		}
	}
}

// defaultAddress sets the address if the file does not: that of the vendor's variable,
// otherwise the vendor's default. A bad variable affects that provider only.
func (r *reading) defaultAddress(p *Provider, kind *Kind) *flaw {
	if old := kind.OldAddrEnv; old != "" && r.env.get(old) != "" && r.env.get(kind.AddrEnv) == "" {
		r.warn(nowhere, "environment variable %s is ignored, as %s's own programs no longer read it: set %s", old, kind.Name, kind.AddrEnv)
	}
	a, f := addressFromEnv(kind, r.env)
	switch {
	case f != nil:
		r.warnOf(f)
		p.setAddressFault(f)
		return nil
	case a.url != "":
	case kind.BaseURL == "":
		return flawf(baseURLExample(kind), "kind %s needs a base_url", kind.Name)
	default:
		if a, f = parseBaseURL(kind, kind.BaseURL); f != nil {
			return f
		}
	}
	p.BaseURL, p.Endpoint = a.url, a.endpoint
	r.doubtVariables(p, kind, a)
	return nil
}

// doubtVariables warns about an address that looks like a mistake. The row says so too if
// nothing, or another program, answers there.
func (r *reading) doubtVariables(p *Provider, kind *Kind, a address) {
	odd := ""
	if kind.OddAddr != nil {
		odd = kind.OddAddr(r.env.get)
	}
	if odd == "" && a.odd != "" {
		odd = kind.AddrEnv + ": the address " + a.odd + ": set it to " + a.better
	}
	if odd == "" {
		return
	}
	text := "environment variable " + maskSecrets(printable(odd))
	r.warn(nowhere, "%s", text)
	p.advise(text+", then restart providerd", provider.DNSFailure, provider.ConnectionRefused, provider.ConnectTimeout,
		provider.NetworkUnreachable, provider.WrongService, provider.BadResponse)
}

// addressFromEnv lets the kind read its vendor's variables, and notes which ones: an error must
// name what to correct, and that is not in the file.
func addressFromEnv(kind *Kind, env Env) (address, *flaw) {
	if kind.AddrEnv == "" && kind.ReadAddr == nil {
		return address{}, nil
	}
	var read []string
	base, err := kind.readAddr(func(name string) string {
		v := env.get(name)
		if v != "" && !slices.Contains(read, name) {
			read = append(read, name)
		}
		return v
	})
	names := strings.Join(read, ", ")
	fix := "correct or unset " + names + ", or give base_url in the configuration"
	if err != nil {
		return address{}, flawf(fix, "environment variable %s: %s", names,
			strings.TrimPrefix(maskSecrets(printable(err.Error())), names+": "))
	}
	if base == "" {
		return address{}, nil
	}
	a, f := parseBaseURL(kind, base)
	if f != nil {
		if f.instead != "" && names == kind.AddrEnv {
			fix = "set " + names + " to " + f.instead
		}
		return address{}, flawf(fix, "environment variable %s: %s", names, strings.Replace(f.message, "base_url", "the address", 1))
	}
	return a, nil
}

// parseBaseURL checks and normalises an address. It does not repeat a text that may contain a
// password.
func parseBaseURL(kind *Kind, raw string) (address, *flaw) {
	a, f := readBaseURL(kind, raw)
	if f == nil {
		return a, nil
	}
	if f.instead = kind.repaired(raw); f.instead != "" {
		f.fix = `write base_url = "` + f.instead + `"`
	}
	return a, f
}

func readBaseURL(kind *Kind, raw string) (address, *flaw) {
	example := baseURLExample(kind)
	raw = bareKey(raw) // invisible characters around it are not part of it
	switch {
	case raw == "":
		return address{}, flawf(example, "base_url is empty")
	case isQuoted(raw):
		return address{}, flawf(example, "base_url is in quotes")
	case strings.ContainsFunc(raw, func(r rune) bool { return r == ' ' || isControl(r) }):
		return address{}, flawf(example, "base_url contains a blank or a control character")
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return address{}, flawf(withScheme(kind, raw, example), "base_url is %s: the scheme is missing", quote(raw))
	}
	if scheme = strings.ToLower(scheme); !slices.Contains(kind.schemes(), scheme) {
		return address{}, flawf(example, "base_url starts with %s: kind %s takes %s", quote(scheme+"://"), kind.Name, strings.Join(kind.schemes(), ", "))
	}
	if strings.ContainsAny(rest, "?#") && (!kind.Query || strings.Contains(rest, "#")) {
		return address{}, flawf("leave out what follows the path", "base_url has a query or a fragment")
	}
	if problem := garbled(rest); problem != "" && scheme != "unix" {
		return address{}, flawf(example, "base_url %s", problem)
	}
	u, err := url.Parse(scheme + "://" + rest)
	switch {
	case err != nil && strings.Contains(rest, "@"), err == nil && u.User == nil && strings.Contains(rest, "@"), atBehindHost(rest):
		return address{}, flawf("write @ : / as %40 %3A %2F in user, password and path", "base_url has a malformed user, password or path")
	case err != nil:
		return address{}, flawf(example, "base_url is %s: %s", quote(raw), parseReason(err))
	case scheme == "unix":
		return unixAddress(u)
	}
	return hostAddress(kind, u, example)
}

func hostAddress(kind *Kind, u *url.URL, example string) (address, *flaw) {
	web := u.Scheme == "http" || u.Scheme == "https"
	if u.Port() == "" && kind.Port != "" && u.Host != "" && !strings.HasSuffix(u.Host, ":") {
		u.Host += ":" + kind.Port
	}
	port := u.Port()
	switch {
	case u.Hostname() == "":
		return address{}, flawf(example, "base_url has no host")
	case strings.HasSuffix(u.Host, ":"):
		return address{}, flawf(example, "base_url has a colon after the host but no port")
	case port != "" && !validPort(port):
		return address{}, flawf(example, "base_url has port %s: it must be from 1 to 65535", port)
	case !web && port == "":
		return address{}, flawf(example, "base_url has no port")
	case !web && (u.User != nil || !kind.Path && strings.Trim(u.Path, "/") != ""):
		return address{}, flawf(example, "base_url has more than a host and a port")
	}
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	if !strings.Contains(u.Host, "%") { // the zone of an IPv6 address is the name of an interface
		u.Host = strings.ToLower(u.Host)
	}
	// Generic kinds request exactly this URL; the others append paths to it.
	if path := u.EscapedPath(); kind.Type != provider.Generic || strings.Trim(path, "/") == "" || !web {
		trimPath(u)
	}
	odd := ""
	if host := strings.TrimRight(u.Hostname(), "."); host != u.Hostname() && (strings.Contains(host, ".") || IsLocalhost(host)) && web {
		u.Host = strings.Replace(u.Host, u.Hostname(), host, 1)
		odd = "has a dot after the host, which is dropped"
	}
	full := u.String()
	u.User = nil
	a := address{url: full, endpoint: u.String(), odd: odd, better: u.String()}
	if why, better := kind.knownBetter(a.endpoint); why != "" {
		a.odd, a.better = why, better
	}
	return a, nil
}

func trimPath(u *url.URL) {
	escaped := strings.TrimRight(u.EscapedPath(), "/")
	if path, err := url.PathUnescape(escaped); err == nil {
		u.Path, u.RawPath = path, escaped
	}
}

// unixAddress is unix:///path.
func unixAddress(u *url.URL) (address, *flaw) {
	const example = `write base_url = "unix:///run/server.sock"`
	switch {
	case u.Host != "" || u.User != nil:
		return address{}, flawf(example, "base_url has a host: a socket's path starts with a third slash")
	case strings.Trim(u.Path, "/") == "":
		return address{}, flawf(example, "base_url has no path")
	case len(u.Path) > maxSocketPath:
		return address{}, flawf("choose a shorter path", "base_url has a socket path of %d bytes: it can have at most %d", len(u.Path), maxSocketPath)
	}
	odd, better := beyondSocket(u.Path)
	return address{url: u.String(), endpoint: u.String(), odd: odd, better: better}, nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// parseReason is the library's reason without the URL that it repeats.
func parseReason(err error) string {
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return maskSecrets(printable(err.Error()))
}

func baseURLExample(kind *Kind) string {
	base := kind.BaseURL
	switch {
	case base != "":
	case kind.Example != "":
		base = kind.Example
	case slices.Contains(kind.schemes(), "http"):
		base = "http://127.0.0.1:8000/v1"
		if kind.Type == provider.Generic {
			base = "http://127.0.0.1:8000/health"
		}
	default:
		base = kind.schemes()[0] + "://127.0.0.1:5432"
	}
	return `write base_url = "` + base + `"`
}

// withScheme proposes the address with the kind's scheme in front, if that would be right.
func withScheme(kind *Kind, raw, example string) string {
	fixed := kind.schemes()[0] + "://" + strings.TrimLeft(raw, "/:")
	if kind.Query && !strings.Contains(strings.TrimLeft(raw, "/:"), "/") {
		return example // the server is only half of the address
	}
	if slices.Contains(kind.schemes(), "http") {
		return example // see repaired, which knows better
	}
	if _, f := readBaseURL(kind, fixed); f != nil || strings.Contains(raw, "@") || maskSecrets(raw) != raw || quote(fixed) != `"`+fixed+`"` {
		return example
	}
	return `write base_url = "` + fixed + `"`
}

// atBehindHost reports whether a path or a query has an @, which must be written as %40: without
// the user before the host, what is left would read as one.
func atBehindHost(rest string) bool {
	end := strings.IndexAny(rest, "/?")
	return end >= 0 && strings.Contains(rest[end:], "@")
}
