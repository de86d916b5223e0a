package config

import (
	"net/netip"
	"net/url"
	"strings"
)

// OnThisMachine reports whether the provider is reached without leaving this
// machine: a loopback address, localhost, a Unix socket, or no address at all.
func (p *Provider) OnThisMachine() bool {
	if len(p.Command) > 0 || p.Unit != "" {
		return true
	}
	u, err := url.Parse(p.BaseURL)
	if err != nil {
		return false
	}
	return u.Scheme == "unix" || IsLoopback(u.Hostname()) || isUnspecified(u.Hostname())
}

// isUnspecified reports whether host is an address to bind, such as 0.0.0.0. Dialling it
// reaches this machine.
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
