package wire

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/providerd/providerd/daemon/config"
)

// ShortestKey is the length of the shortest secret that a fingerprint is made of. A shorter one
// could be guessed by a member, who has the fleet's key.
const ShortestKey = 20

// Unshared is why a provider never leaves its machine; empty if it is shared.
func Unshared(p *config.Provider) string {
	if len(p.Command) > 0 {
		return "it is a program on this machine"
	}
	if p.Kind == "systemd" {
		return "it is a unit of this machine's systemd"
	}
	if p.AddressFault != "" || p.BaseURL == "" {
		return "it has no usable address"
	}
	if p.KeyMissing != "" || p.KeyFault != "" {
		return "it has no usable key, so nothing is sent to it"
	}
	u, err := url.Parse(p.BaseURL)
	switch {
	case err != nil || u.Scheme == "unix" || u.Hostname() == "":
		return "its address is not one of the network"
	case u.User != nil:
		return "its address has a user name or a password"
	case p.OnThisMachine():
		return "it is on this machine"
	}
	if why := unsharedHost(u.Hostname()); why != "" {
		return why
	}
	if !p.Key.IsZero() && len(p.Key.Reveal()) < ShortestKey {
		return "its key has fewer than 20 characters, so it could be guessed"
	}
	return ""
}

// unsharedHost is why the same host may be another machine to another member.
func unsharedHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if strings.HasSuffix(host, ".docker.internal") || strings.HasSuffix(host, ".containers.internal") {
		return "its address means this machine, as seen from a container"
	}
	addr, err := netip.ParseAddr(host)
	if err == nil && (addr.Unmap().IsLinkLocalUnicast() || addr.Zone() != "") {
		return "its address is valid on one link only"
	}
	return ""
}

// Reachable is the address of a server as other members can use it: without user-info, query
// and fragment; empty if only its own machine reaches it, or if its path could be a secret.
func Reachable(p *config.Provider) string {
	u, err := url.Parse(p.BaseURL)
	if err != nil || u.User != nil || u.Hostname() == "" || p.OnThisMachine() || unsharedHost(u.Hostname()) != "" {
		return ""
	}
	return reachable(u)
}

func reachable(u *url.URL) string {
	switch u.Scheme {
	case "http", "https", "tcp", "grpc", "grpcs":
	default:
		return ""
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(segments) > 3 {
		return ""
	}
	for _, s := range segments {
		if s != "" && !isPathWord(s) {
			return ""
		}
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	if text := plain.String(); len(text) <= maxEndpoint {
		return text
	}
	return ""
}

// isPathWord reports whether a part of a path is too plain to be a secret: "v1", "openai".
func isPathWord(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c != '-' && (c < 'a' || c > 'z'):
			return false
		}
	}
	return len(s) <= 16 && digits <= 2
}

// isReachable reports whether another member's address is one that this package could have
// made.
func isReachable(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxEndpoint && u.User == nil && u.Hostname() != "" && !config.IsLoopback(u.Hostname()) &&
		unsharedHost(u.Hostname()) == "" && isHost(u.Hostname()) && reachable(u) == text
}

// isHost reports whether a host is a name or an address, and not the unspecified one.
func isHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return !addr.Unmap().IsUnspecified()
	}
	return isWord(host, 253, ".-_")
}
