package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// meantHost is what follows the scheme of an address, with the host that was meant; empty if
// that is not clear.
func (k *Kind) meantHost(s, scheme string) string {
	rest := strings.TrimLeft(s, "/")
	slashes := len(s) - len(rest)
	host, path, _ := strings.Cut(rest, "/")
	if path != "" {
		path = "/" + path
	}
	isName := strings.ContainsAny(host, ".:") || IsLocalhost(host)
	port := strings.TrimPrefix(host, ":")
	switch _, err := strconv.ParseUint(port, 10, 64); {
	case slashes == 1 && scheme == "", slashes > 0 && !isName: // a path, or nothing recognisable
		return ""
	case err == nil && k.Type == provider.Cloud:
		return ""
	case err == nil: // only a port, as in a listen address
		return "127.0.0.1:" + port + path
	case slices.Contains([]string{"none", "null", "nil", "undefined", "true", "false"}, strings.ToLower(host)):
		return ""
	case strings.Count(host, ":") > 1 && !strings.ContainsAny(host, "[]"):
		return bracketed(host) + path
	}
	return strings.TrimLeft(rest, ":")
}

// bracketed is an IPv6 address in the form of URLs. A number at its end is a port if it can be
// one and the rest is an address.
func bracketed(host string) string {
	i := strings.LastIndexByte(host, ':')
	before, port := host[:i], host[i+1:]
	if addr, err := netip.ParseAddr(before); err == nil && validPort(port) && (addr.IsLoopback() || len(port) > 3) {
		return "[" + before + "]:" + port
	}
	return "[" + host + "]"
}

var (
	// socketForm are the ways in which programs write the address of a Unix socket.
	socketForm = regexp.MustCompile(`(?i)^(?:(?:http\+)?unix:|https?://unix:/|/[^:?#]*\.sock)`)
	socketHead = regexp.MustCompile(`(?i)^(?:https?://unix:|(?:http\+)?unix:)?/*`)
	socketTail = regexp.MustCompile(`(?i)(\.sock)[/:].*$`)
)

// meantSocket is the right form of a differently written address of a Unix socket.
func meantSocket(s string) string {
	s, err := url.PathUnescape(socketHead.ReplaceAllString(s, ""))
	if err != nil || strings.Contains(s, "@") {
		return ""
	}
	s = strings.TrimLeft(socketTail.ReplaceAllString(s, "$1"), "/")
	u, err := url.Parse("unix:///" + s)
	if err != nil || s == "" {
		return ""
	}
	a, f := unixAddress(u)
	if f != nil || holdsSecret(s) {
		return ""
	}
	return a.endpoint
}

// beyondSocket reports if an address has more than the path of a socket.
func beyondSocket(path string) (why, better string) {
	if cut := socketTail.ReplaceAllString(path, "$1"); cut != path {
		return "continues after the path of the socket", "unix://" + cut
	}
	return "", ""
}

// exampleBase is an example address of this kind.
func (k *Kind) exampleBase() string {
	_, base, _ := strings.Cut(baseURLExample(k), `"`)
	return strings.TrimSuffix(base, `"`)
}
