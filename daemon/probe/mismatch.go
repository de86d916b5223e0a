package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// helloWait is how long a peer may take to answer a ClientHello. It hung up on a
// request just now, so it is there; the verdict does not wait for much more.
const helloWait = 2 * time.Second

// closed says what it means that a new connection ended before an answer. Some
// TLS servers do that, without a word, to plain HTTP.
func (r *run) closed(heard string) finding {
	made, _ := r.trace.connections()
	base := r.p.base.Scheme
	plain := base == "http" && r.p.provider.Type == provider.Local || base == "grpc"
	if plain && r.p.proxy == nil && made > 0 && heard == "" && r.p.dialer.speaksTLS(r.trace.ctx) {
		return r.wantsTLS()
	}
	return finding{saw: provider.ConnectionReset, detail: "the connection was closed before an answer"}
}

func (r *run) wantsTLS() finding {
	_, secure := r.schemes()
	return finding{saw: provider.TLSFailure, detail: "the server speaks TLS: base_url should begin with " + secure}
}

// schemes are what base_url should begin with, without TLS and with it; empty
// where the kind has no such one.
func (r *run) schemes() (plain, secure string) {
	switch r.p.base.Scheme {
	case "grpc", "grpcs":
		return "grpc://", "grpcs://"
	case "tls":
		return "", "tls://"
	}
	return "http://", "https://"
}

// speaksTLS finds out whether what listens at the address that accepted last
// answers a ClientHello like a TLS server. Nothing more is sent, so no certificate
// is looked at. The connection is not part of the evidence.
func (d *dialer) speaksTLS(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	address := d.where()
	raw, err := d.connect(ctx, d.network, address)
	if err != nil {
		return false
	}
	defer raw.Close() // nothing was said over it that matters
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	peer := &greeted{Conn: raw}
	_ = tls.Client(peer, d.tls.config(host)).HandshakeContext(ctx) // it ends with errGreeted at best
	return isTLS(peer.reply)
}

// A greeted connection ends a handshake at the peer's first words.
type greeted struct {
	net.Conn
	reply string
}

var errGreeted = errors.New("the peer has replied")

func (g *greeted) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.reply += string(b[:min(n, sniffed)])
	if err != nil {
		return 0, err
	}
	return 0, errGreeted
}

// isTLS knows a TLS server by its first bytes: a record that holds an alert or a
// handshake, of any version.
func isTLS(heard string) bool {
	return strings.HasPrefix(heard, "\x15\x03") || strings.HasPrefix(heard, "\x16\x03")
}
