package dashboard

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

const (
	usualTime = 5 * time.Second  // for a request's head, and again for its body
	patience  = 10 * time.Second // with a reader that reads nothing, like the daemon's
	idleTime  = 2 * time.Minute
	closeTime = 2 * time.Second // for the answers in progress at the end
	restTime  = 2 * time.Second // from an answer until its memory is released
	maxHead   = 16 << 10
	headSlop  = 4 << 10 // what net/http reads beyond its limit
)

// A Server is one dashboard: an address of this machine, and the secrets of its paths.
type Server struct {
	doors  Doors
	views  http.Handler
	api    http.Handler
	listen net.Listener
	head   time.Duration // how long a request's head, and then its body, may take
	bug    func(text string)
	used   atomic.Bool   // the ticket
	opened chan struct{} // closed when the ticket is used
	rest   *time.Timer   // returns unused memory to the system; each answer postpones it
}

// ServerOptions are the options of [Listen].
type ServerOptions struct {
	Port     int // 0: any
	ReadOnly bool
	Client   *client.Client // of the daemon
	// Spell, if it is not nil, adapts the commands in hints to the reader.
	Spell func(hint string) string
	// Bug, if it is not nil, is called with a handler's panic and its stack.
	Bug func(text string)
	// Views makes the handler of everything below base except the API. It only gets requests
	// that passed the doors.
	Views func(base, nonce string) http.Handler

	headTime time.Duration // zero: usualTime
	patience time.Duration // zero: patience
}

// Listen listens at the address of a dashboard, and makes its secrets. Connections are accepted
// by [Server.Serve].
func Listen(o ServerOptions) (*Server, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, portError(o.Port, err)
	}
	s := &Server{
		doors: Doors{
			Authority: authorityOf(l.Addr()),
			Secret:    rand.Text(), // 130 bits
			Ticket:    rand.Text(),
			Nonce:     rand.Text(),
			ReadOnly:  o.ReadOnly,
		},
		listen: &doorway{Listener: l, who: whoConnects, patience: cmp.Or(o.patience, patience)},
		head:   cmp.Or(o.headTime, usualTime),
		bug:    o.Bug,
		opened: make(chan struct{}),
	}
	s.views = o.Views(s.doors.Base(), s.doors.Nonce)
	s.api = forwarded{base: s.doors.Base(), client: o.Client, spell: o.Spell}
	return s, nil
}

// authorityOf is a server's address as browsers write it: without the port of HTTP.
func authorityOf(addr net.Addr) string { return strings.TrimSuffix(addr.String(), ":80") }

// URL is the address of the dashboard. Whoever knows it, and gets past the other doors, has
// the rights of the user who started it.
func (s *Server) URL() string { return s.doors.Origin() + s.doors.Base() }

// TicketURL is an address that works once, and continues to [Server.URL].
func (s *Server) TicketURL() string { return s.doors.Origin() + "/" + s.doors.Ticket + "/" }

// Opened is closed once the ticket has been used.
func (s *Server) Opened() <-chan struct{} { return s.opened }

// Serve answers requests until ctx ends. It then ends the streams, and gives other answers
// in progress two seconds.
func (s *Server) Serve(ctx context.Context) error {
	s.rest = time.AfterFunc(restTime, debug.FreeOSMemory)
	defer s.rest.Stop()
	requests, endRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer endRequests()
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:                      s,
		Protocols:                    protocols,
		ReadHeaderTimeout:            s.head,
		IdleTimeout:                  idleTime,
		MaxHeaderBytes:               maxHead - headSlop,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(bugs(s.bug), "", 0),
		BaseContext:                  func(net.Listener) context.Context { return requests },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(*caller).peer)
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s.listen) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	endRequests()
	patience, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bugs passes on the lines of net/http's log that are about bugs of ours. Mistakes of clients
// are dropped.
type bugs func(text string)

func (b bugs) Write(line []byte) (int, error) {
	if b != nil && bytes.HasPrefix(line, []byte("http: panic ")) {
		b(strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// ServeHTTP lets a request in or refuses it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.rest.Reset(restTime)
	harden(w.Header())
	if r.ContentLength != 0 { // net/http reads even what a handler leaves unread
		deadline := time.Now().Add(s.head)
		_ = http.NewResponseController(w).SetReadDeadline(deadline) // so that a read fails, too
	}
	entry, refusal := s.doors.Enter(factsOf(r))
	if refusal != nil {
		answerRefusal(w, refusal)
		return
	}
	if r.Method == http.MethodPost {
		if refusal := s.readBody(r, entry); refusal != nil {
			refusal.Place = entry.Place
			answerRefusal(w, refusal)
			return
		}
	}
	switch entry.Place {
	case Views:
		s.views.ServeHTTP(w, r)
	case API:
		s.api.ServeHTTP(w, r)
	case Slashless:
		http.Redirect(w, r, s.doors.Base(), http.StatusPermanentRedirect)
	case Entrance:
		s.serveEntrance(w)
	}
}

// serveEntrance uses up the ticket.
func (s *Server) serveEntrance(w http.ResponseWriter) {
	if s.used.Swap(true) {
		answerRefusal(w, refuse(provider.UnknownRoute, retype, "there is nothing at this address"))
		return
	}
	close(s.opened)
	answerPage(w, http.StatusOK, entrancePage, s.doors.Base())
}

// readBody reads a request's whole body, so that nothing waits for it later, and checks the
// nonce of a form.
func (s *Server) readBody(r *http.Request, entry Entry) *Refusal {
	// Its length was checked. At its end net/http lifts the deadline.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return refuse(provider.BadRequest, "", "the body did not arrive in full, or in time")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !entry.NonceWanted {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !s.doors.Proves(form["nonce"]) {
		return refuse(provider.ForeignOrigin, "reload the page, and try again", "the form is not from this dashboard")
	}
	return nil
}

// portError is the error for a port that cannot be used.
func portError(port int, err error) error {
	var hint string
	switch {
	case isInUse(err):
		hint = "use another, or none for a free one: --port 0"
		return provider.Errorf(provider.Usage, hint, "dashboard: another program listens at port %d", port)
	case isDenied(err):
		hint = "use one from 1024 on, or none for a free one: --port 0"
		return provider.Errorf(provider.Denied, hint, "dashboard: you may not listen at port %d", port)
	}
	return provider.Errorf(provider.Internal, "", "dashboard: listen at 127.0.0.1:%d: %v", port, err)
}
