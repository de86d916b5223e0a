package dashboard

import (
	"context"
	"net/http"
)

// peerKey is the key of a connection's [Peer] in the context of its requests.
type peerKey struct{}

func peerOf(ctx context.Context) Peer {
	peer, _ := ctx.Value(peerKey{}).(Peer)
	return peer
}

// factsOf returns the facts of a request.
func factsOf(r *http.Request) Facts {
	return Facts{
		Peer:    peerOf(r.Context()),
		Proto:   r.Proto,
		Method:  r.Method,
		Target:  r.RequestURI,
		Host:    r.Host,
		Length:  r.ContentLength,
		Chunked: len(r.TransferEncoding) > 0,
		Origin:  r.Header.Values("Origin"),
		Site:    r.Header.Values("Sec-Fetch-Site"),
		Mode:    r.Header.Values("Sec-Fetch-Mode"),
		Dest:    r.Header.Values("Sec-Fetch-Dest"),
		Change:  r.Header.Values("X-Providerd"),
		Content: r.Header.Values("Content-Type"),
	}
}
