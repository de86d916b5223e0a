package framing

import (
	"context"
	"net"
	"net/http"
)

// Guard makes a server without other hooks read its requests through a [Conn], if it
// serves the returned listener. A request to upgrade ends the connection too: it is not
// supported, and what follows may be another protocol.
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

// EndUpgrade makes the reply end the connection if the request asks for another protocol
// on it.
func EndUpgrade(w http.ResponseWriter, r *http.Request) {
	if r.Header["Upgrade"] != nil {
		w.Header().Set("Connection", "close")
	}
}

type connKey struct{}

// guarded accepts each connection as a [Conn].
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
