package framing

import (
	"context"
	"net"
	"net/http"
)

// Guard has a server that has no other hooks read its requests through a [Conn], when
// it serves the listener returned. A request to upgrade ends the connection, too: it
// is not taken up, and what follows may be of another protocol.
func Guard(s *http.Server, l net.Listener, tell Teller) net.Listener {
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, nc)
	}
	s.ConnState = func(nc net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			nc.(*Conn).EndReply()
		}
	}
	handler := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Value(connKey{}).(*Conn).BeginReply()
		EndUpgrade(w, r)
		handler.ServeHTTP(w, r)
	})
	return &guarded{l, tell}
}

// EndUpgrade has the reply end the connection when the request asks for another
// protocol on it.
func EndUpgrade(w http.ResponseWriter, r *http.Request) {
	if r.Header["Upgrade"] != nil {
		w.Header().Set("Connection", "close")
	}
}

type connKey struct{}

// guarded accepts connections as a [Conn] each.
type guarded struct {
	net.Listener
	tell Teller
}

func (l *guarded) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := NewConn(nc, l.tell)
	return &c, nil
}
