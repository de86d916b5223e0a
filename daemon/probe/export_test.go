package probe

import "net/http"

// Over makes p send its requests over t, which needs no network.
func (p *Prober) Over(t interface {
	http.RoundTripper
	CloseIdleConnections()
}) {
	p.transport = t
}
