package config

import (
	"net/netip"
	"net/url"
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
	return u.Scheme == "unix" || IsLoopback(u.Hostname())
}

// IsLoopback reports whether host, a name or an address without a port, can
// only mean this machine.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
