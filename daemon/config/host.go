package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// OnThisMachine reports whether the provider is reached without leaving this
// machine: a loopback address, localhost, a Unix socket, or no address at all.
func (p *Provider) OnThisMachine() bool {
	if len(p.Command) > 0 || strings.HasPrefix(p.BaseURL, "systemd:") {
		return true
	}
	u, err := url.Parse(p.BaseURL)
	if err != nil {
		return false
	}
	return u.Scheme == "unix" || IsLoopback(u.Hostname()) || isUnspecified(u.Hostname())
}

// LocalPort is the TCP port of this machine that the provider is reached at; 0 if it is
// reached in another way.
func (p *Provider) LocalPort() uint16 {
	u, err := url.Parse(p.BaseURL)
	if err != nil || u.Scheme == "dns" || u.Hostname() == "" || !p.OnThisMachine() {
		return 0
	}
	text := u.Port()
	if text == "" {
		text = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(port)
}

// isUnspecified reports whether host is an address to bind, such as 0.0.0.0, which
// leads to this machine where it is dialled.
func isUnspecified(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsUnspecified()
}

// IsLocalhost reports whether a name can only mean this machine (RFC 6761).
func IsLocalhost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// IsLoopback reports whether host, a name or an address without a port, can
// only mean this machine.
func IsLoopback(host string) bool {
	if IsLocalhost(host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
