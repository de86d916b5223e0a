package dashboard

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A Peer is who is at the other end of a connection.
type Peer int

// The zero value is the least trusted.
const (
	// PeerUnknown means that the kernel could not report who it is, for example because the
	// process that connected has gone. It may read, and change nothing.
	PeerUnknown Peer = iota
	// PeerAnother is a user of this machine who is neither ours nor root.
	PeerAnother
	// PeerOurs is our own user, or root.
	PeerOurs
	// PeerUntold is anybody, on a system that does not report who connects.
	PeerUntold
)

// Facts are all that the doors know about a request. Headers that may come once are lists here,
// so that a second one can be noticed.
type Facts struct {
	Peer    Peer
	Proto   string // "HTTP/1.1"
	Method  string
	Target  string // as it came, with its query
	Host    string
	Length  int64 // of the body; −1 if not known
	Chunked bool  // the body has a Transfer-Encoding

	Origin  []string
	Site    []string // Sec-Fetch-Site
	Mode    []string // Sec-Fetch-Mode
	Dest    []string // Sec-Fetch-Dest
	Change  []string // X-Providerd
	Content []string // Content-Type
}

// Doors has what requests are checked against. It does not change while a server runs.
type Doors struct {
	Authority string // "127.0.0.1:PORT"
	Secret    string // the first segment of every path
	Ticket    string // the first segment of the path that works once; empty if there is none
	Nonce     string // of the forms
	ReadOnly  bool
}

// A Place is what a request reaches.
type Place int

const (
	// Nowhere is the place of a refused request.
	Nowhere Place = iota
	// Views are the handler of ctl/dashboard/page.
	Views
	// API is the forwarded API.
	API
	// Entrance is the page to which the file for the browser redirects.
	Entrance
	// Slashless is the overview's address without the last slash.
	Slashless
)

// An Entry is the decision about a request that is let in.
type Entry struct {
	Place Place
	// NonceWanted means that the form in the body must have the nonce; see [Doors.Proves].
	NonceWanted bool
}

// A Refusal is why a request was not let in.
type Refusal struct {
	Place  Place // what it would have reached, which decides the form of the answer
	Status int
	Allow  string // the methods, if the request's is none of them
	Why    *provider.Error
}

func refuse(code provider.Code, hint, message string) *Refusal {
	return &Refusal{Status: code.HTTPStatus(), Why: provider.Errorf(code, hint, "%s", message)}
}

// MaxBody is the largest body that is read, as large as the daemon's own limit.
const MaxBody = 64 << 10

const retype = "type the address that providerctl dashboard printed into the address bar"

// Base is the path of the overview.
func (d Doors) Base() string { return "/" + d.Secret + "/" }

// Origin is the server's origin, as browsers write it.
func (d Doors) Origin() string { return "http://" + d.Authority }

// Enter decides whether a request is let in. It is a pure function of the request's facts.
func (d Doors) Enter(f Facts) (Entry, *Refusal) {
	if f.Peer == PeerAnother {
		return Entry{}, refuse(provider.Denied, "open your own: providerctl dashboard",
			"this dashboard is another user's")
	}
	if r := checkForm(f); r != nil {
		return Entry{}, r
	}
	if f.Host != d.Authority { // even a foreign name that resolves to this machine
		return Entry{}, refuse(provider.ForeignOrigin, retype, "the dashboard has no such name")
	}
	place := d.place(f.Target)
	r := d.checkRequest(place, f)
	if r != nil {
		r.Place = place
		return Entry{}, r
	}
	return Entry{Place: place, NonceWanted: f.Method == http.MethodPost && len(f.Change) == 0}, nil
}

func (d Doors) checkRequest(place Place, f Facts) *Refusal {
	if place == Nowhere {
		return refuse(provider.UnknownRoute, retype, "there is nothing at this address")
	}
	if r := checkMethod(place, f); r != nil {
		return r
	}
	if place == Entrance {
		return checkEntrance(f)
	}
	if !d.sameOrigin(f) {
		return refuse(provider.ForeignOrigin, retype, "another web page sent this request")
	}
	if f.Method == http.MethodPost {
		return d.checkChange(place, f)
	}
	return nil
}

// checkForm refuses what no browser and no ordinary client sends to an HTTP/1.1 server.
func checkForm(f Facts) *Refusal {
	switch {
	case f.Proto != "HTTP/1.1":
		r := refuse(provider.BadRequest, "", "only HTTP/1.1 is spoken here")
		r.Status = http.StatusHTTPVersionNotSupported
		return r
	case !strings.HasPrefix(f.Target, "/") && f.Method != http.MethodOptions && f.Method != http.MethodConnect:
		return refuse(provider.BadRequest, "", "the target of a request is a path")
	case f.Chunked:
		r := refuse(provider.BadRequest, "send a Content-Length", "a body needs a length")
		r.Status = http.StatusLengthRequired
		return r
	case f.Length > MaxBody:
		return refuse(provider.TooLarge, "", "the body is larger than 64 KiB")
	case f.Length != 0 && f.Method != http.MethodPost:
		return refuse(provider.BadRequest, "", "only a POST has a body")
	}
	for _, values := range [][]string{f.Origin, f.Site, f.Mode, f.Dest, f.Change, f.Content} {
		if len(values) > 1 {
			return refuse(provider.BadRequest, "", "a header is given twice")
		}
	}
	return nil
}

// place is what a target refers to.
func (d Doors) place(target string) Place {
	path, _, _ := strings.Cut(target, "?")
	first, rest, slash := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case d.Ticket != "" && equal(first, d.Ticket) && slash && rest == "":
		return Entrance
	case !equal(first, d.Secret):
		return Nowhere
	case !slash:
		return Slashless
	case !isPlain(rest):
		return Nowhere
	case strings.HasPrefix(rest, "api/"):
		return API
	}
	return Views
}

// isPlain reports whether every program reads a path in the same way: no segment but the last
// is empty, and none refers to another folder, however it is spelled.
func isPlain(path string) bool {
	segments := strings.Split(path, "/")
	for i, raw := range segments {
		segment, err := url.PathUnescape(raw)
		if err != nil || segment == "." || segment == ".." || strings.ContainsAny(segment, "/\\\x00") ||
			segment == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}

// checkMethod refuses a method that a place does not support.
func checkMethod(place Place, f Facts) *Refusal {
	allow := "GET, HEAD, POST"
	switch {
	case place == Entrance:
		allow = "GET" // a HEAD, as of a preview, must not use up the ticket
	case place == Slashless:
		allow = "GET, HEAD"
	}
	for method := range strings.SplitSeq(allow, ", ") {
		if method == f.Method {
			return nil
		}
	}
	r := refuse(provider.MethodNotAllowed, "", "the method has to be one of "+allow)
	r.Allow = allow
	return r
}

// checkEntrance accepts a navigation from anywhere, because the browser comes from a file. The
// ticket protects this page: it works once, and the page shows nothing but a link to the
// overview.
func checkEntrance(f Facts) *Refusal {
	if len(f.Origin) > 0 || len(f.Mode) > 0 && f.Mode[0] != "navigate" || len(f.Dest) > 0 && f.Dest[0] != "document" {
		return refuse(provider.ForeignOrigin, retype, "this address is only for opening a browser")
	}
	return nil
}

// sameOrigin reports whether no page of another origin sent the request. A client that is not a
// browser sends none of the headers.
func (d Doors) sameOrigin(f Facts) bool {
	site := first(f.Site)
	switch {
	case len(f.Site) == 0:
		// Browsers send the three together.
		if len(f.Mode) > 0 || len(f.Dest) > 0 {
			return false
		}
	case site == "same-origin":
	case site == "none": // typed, or a bookmark
		if f.Method == http.MethodPost || first(f.Mode) != "navigate" || first(f.Dest) != "document" {
			return false
		}
	default:
		return false
	}
	switch {
	case len(f.Origin) == 0, f.Origin[0] == d.Origin():
		return true
	case f.Origin[0] == "null":
		// A form of a page with Referrer-Policy no-referrer has this Origin:
		// https://fetch.spec.whatwg.org/#origin-header.
		return site == "same-origin"
	}
	return false
}

// checkChange checks a request that changes something.
func (d Doors) checkChange(place Place, f Facts) *Refusal {
	switch {
	case d.ReadOnly:
		return refuse(provider.Denied, "start it without --read-only", "this dashboard is read-only")
	case f.Peer != PeerOurs && f.Peer != PeerUntold:
		return refuse(provider.Denied, "keep the connection open until the answer has come",
			"it is not known which user sent this request")
	case len(f.Change) > 0 && f.Change[0] != "1":
		return refuse(provider.BadRequest, "send X-Providerd: 1", "X-Providerd is not 1")
	case len(f.Change) > 0:
		return nil
	case place == API:
		return refuse(provider.ForeignOrigin, "send X-Providerd: 1", "a request that changes something needs the header X-Providerd")
	case !isForm(first(f.Content)):
		return refuse(provider.ForeignOrigin, "reload the page, and try again", "a request that changes something has to be a form of this page")
	}
	return nil
}

// Proves reports whether a form is from one of our own pages, by the values of its field
// "nonce".
func (d Doors) Proves(nonces []string) bool {
	return len(nonces) == 1 && equal(nonces[0], d.Nonce)
}

func isForm(content string) bool {
	kind, _, _ := strings.Cut(content, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

// equal compares in constant time.
func equal(given, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(secret)) == 1
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
