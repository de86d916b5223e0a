package control

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/daemon/framing"
	"github.com/providerd/providerd/store/provider"
)

// A call is one request in progress.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	conn  *conn
	route *route
	id    string // of the provider in the path, which exists, or of the sink
	query query
	codes *codes
	told  bool // the reply's code has been counted
}

// The media types of replies.
const (
	mediaJSON  = "application/json"
	mediaLines = "application/x-ndjson"
	mediaBytes = "application/octet-stream"
	mediaText  = "text/plain; version=0.0.4; charset=utf-8" // of Prometheus
)

// The constant values of headers; net/http does not modify them.
var (
	contentJSON  = []string{mediaJSON}
	contentLines = []string{mediaLines}
	contentBytes = []string{mediaBytes}
	contentText  = []string{mediaText}
)

// answer is the handler. It does what is common to all routes.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	c := &call{w: w, r: r, conn: connOf(r), codes: &s.codes}
	c.conn.BeginReply()
	c.conn.takeSlot()
	c.conn.since.Store(s.ticks())
	c.conn.replying.Store(true) // until connState sees that the reply is written
	s.replying.add(1)
	defer s.catch(c)

	if err := s.dispatch(c); err != nil {
		if err.Code == provider.Denied || err.Code == provider.ForeignOrigin {
			s.denied.Add(1)
		}
		s.writeJSON(c, err.Code.HTTPStatus(), provider.ErrorReply{Error: err})
	}
}

// dispatch checks the request, the cheapest check first, and serves it.
func (s *Server) dispatch(c *call) *provider.Error {
	r := c.r
	if r.ContentLength != 0 { // unread bytes must not delay the connection
		s.setReadDeadline(c)
	}
	framing.EndUpgrade(c.w, r)
	if s.isStopping() {
		c.w.Header().Set("Connection", "close")
		return shuttingDown()
	}
	if err := checkOrigin(r); err != nil {
		return err
	}
	if id := elsewhere(r.URL.RawPath); id != "" {
		return unknownProvider(s.store.View(), id)
	}
	rt, id := find(r.URL.Path)
	if rt == nil {
		return unknownRoute(r.URL.Path)
	}
	allowed := rt.allow()
	if rt = rt.of(r.Method); rt == nil {
		c.w.Header().Set("Allow", allowed)
		return provider.Errorf(provider.MethodNotAllowed, "use "+allowed, "%s is not a method of %s", shorten(r.Method), shorten(r.URL.Path))
	}
	if id != "" && !rt.ofSink() {
		if v := s.store.View(); v.Row(id) == nil {
			return unknownProviderPath(v, id, r.URL.Path)
		}
	}
	c.route, c.id = rt, id
	if p := s.policy(); !p.allows(c.conn.peer, rt.op) {
		phrase, command := s.wish(c, rt)
		return p.denied(c.conn.peer, phrase, command)
	}
	var err *provider.Error
	if c.query, err = parseQuery(r.URL.RawQuery, rt.params); err != nil {
		return err
	}
	if rt.fields == nil && r.ContentLength != 0 {
		if _, err := s.readBody(c); err != nil { // it may be an empty one
			return err
		}
	}
	return rt.serve(s, c)
}

// wish is what a denied call wanted, with the names filled in: as a phrase, and as a
// command line.
func (s *Server) wish(c *call, rt *route) (phrase, command string) {
	what := ""
	if rt.what != nil {
		what = rt.what(s, c)
	}
	fill := strings.NewReplacer("ID", c.id, "WHAT", what)
	return fill.Replace(rt.phrase), cmp.Or(rt.program, "providerctl") + " " + fill.Replace(rt.command)
}

// checkOrigin refuses requests that a web page makes a browser send, in case something on
// this machine passes the socket on over TCP. Such a request has an Origin, a Referer or
// fetch metadata; after DNS rebinding, its host name has a dot.
func checkOrigin(r *http.Request) *provider.Error {
	if r.Header["Origin"] != nil || r.Header["Referer"] != nil ||
		r.Header["Sec-Fetch-Site"] != nil || r.Header["Sec-Fetch-Mode"] != nil { // Fetch Metadata, W3C
		return provider.Errorf(provider.ForeignOrigin, "send the request without the Origin, Referer and Sec-Fetch headers",
			"requests of web pages are refused")
	}
	if !strings.Contains(r.Host, ".") || localHost(r.Host) {
		return nil
	}
	return provider.Errorf(provider.ForeignOrigin, "use http://localhost/…", "requests for the host %q are refused", shorten(r.Host))
}

// localHost reports whether a Host header that contains a dot can still come from a program
// on this machine: an address, the path of the socket as some clients put it there, or a
// single dot.
func localHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	path := strings.ToUpper(name) // the host of a web page has no percent sign
	return name == "." || strings.HasPrefix(path, "%2F") && strings.HasSuffix(path, ".SOCK")
}

func shuttingDown() *provider.Error {
	return provider.Errorf(provider.ShuttingDownNow, "try again when it is back", "the daemon is shutting down")
}

// writeJSON sends v, and a newline for people.
func (s *Server) writeJSON(c *call, status int, v any) {
	body, err := encode(nil, v)
	if err != nil {
		s.log.Error("cannot encode a reply", "path", c.r.URL.Path, "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"the reply cannot be encoded"}}`+"\n")
	}
	writeBody(c, status, body)
}

// writeBody sends a complete reply.
func writeBody(c *call, status int, body []byte) {
	startBody(c, status, len(body))
	c.w.Write(body) // an error means that the client has gone
}

// startBody sends what precedes a body of size bytes.
func startBody(c *call, status, size int) {
	c.count(status)
	h := c.w.Header()
	h["Content-Type"] = contentJSON
	h["Content-Length"] = []string{strconv.Itoa(size)}
	if status != http.StatusOK {
		c.w.WriteHeader(status)
	}
}

// extendReply gives a reply that took long to make the full time to be written.
func (s *Server) extendReply(c *call) {
	c.conn.SetWriteDeadline(time.Now().Add(s.replyTimeout))
}

func (s *Server) setReadDeadline(c *call) {
	c.conn.SetReadDeadline(time.Now().Add(s.bodyTimeout))
}

// catch turns a panic in a handler into an error of that request only.
func (s *Server) catch(c *call) {
	bug := recover()
	if bug == nil {
		return
	}
	if bug == http.ErrAbortHandler {
		panic(bug)
	}
	s.log.Error("panic while answering a request", "path", c.r.URL.Path, "panic", bug, "stack", string(debug.Stack()))
	if c.told { // the reply has begun: an error in the middle would look like a part of it
		panic(http.ErrAbortHandler)
	}
	c.w.Header().Set("Connection", "close")
	s.writeJSON(c, http.StatusInternalServerError, provider.ErrorReply{
		Error: provider.Errorf(provider.Internal, "see: providerctl logs", "the daemon met a bug while answering"),
	})
}
