package control

import (
	"net/http"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A route is a path with one method; a GET route takes HEAD too. Its row in [routes] is its
// whole description: openapi.json is generated from the rows, and a test holds docs/api.md
// to them.
type route struct {
	method string
	path   string // {id} stands for the provider, {sink} for the way to tell people
	serve  func(*Server, *call) *provider.Error

	also *route // with another method at the same path

	// For routes that only administrators may use. In both texts ID stands for the
	// provider or the sink, and WHAT for a value from the body.
	op      operation
	phrase  string                      // what it does, as in "may not …"
	command string                      // the same as an argument of the program
	program string                      // that has this command; empty: providerctl
	what    func(*Server, *call) string // WHAT, read from the body

	// What it takes.
	params  []parameter // that the query can have
	fields  []string    // that the body can have; nil: there is no body
	sends   string      // an example of the body, for hints
	body    any         // the body in OpenAPI: a value of its type, or a [jsonSchema]
	mayLack bool        // the body is optional

	// Its description in OpenAPI.
	summary string
	about   string
	replies []reply // in addition to those of every route; see everyReply
}

// A reply is one of the answers of a route.
type reply struct {
	status int
	what   string
	body   any    // a value of its type; nil: a JSON document of any shape
	note   any    // of a stream: a line that is not data
	media  string // empty: JSON
}

// A jsonSchema describes a value that has no type in store/provider.
type jsonSchema string

// onePath is the path of one provider; those of its other routes are below it.
const onePath = providersPath + "{id}"

// sinkPath is what the paths of one sink begin with.
const sinkPath = notifyPath + "/{sink}"

// byPath has the routes without an id, byEnd those of a provider, by what follows its id, and
// bySink those of a sink.
var byPath, byEnd, bySink = index(routes)

func index(rows []route) (byPath, byEnd, bySink map[string]*route) {
	byPath, byEnd, bySink = make(map[string]*route), make(map[string]*route), make(map[string]*route)
	for i := range rows {
		into, key := byPath, rows[i].path
		if end, ok := strings.CutPrefix(key, onePath); ok {
			into, key = byEnd, end
		} else if end, ok := strings.CutPrefix(key, sinkPath); ok {
			into, key = bySink, end
		}
		rows[i].also = into[key]
		into[key] = &rows[i]
	}
	return byPath, byEnd, bySink
}

// find returns a route of a decoded path, and the provider or the sink that it names, or nil.
// [http.ServeMux] is not used: it costs more than the rest of a cached read, and would
// answer an unknown path with plain text and an unclean one with a redirect.
func find(path string) (rt *route, id string) {
	if rt, ok := byPath[path]; ok {
		return rt, ""
	}
	below := byEnd
	rest, ok := strings.CutPrefix(path, providersPath)
	if !ok {
		if rest, ok = strings.CutPrefix(path, notifyPath+"/"); !ok {
			return nil, ""
		}
		below = bySink
	}
	id, end := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		id, end = rest[:i], rest[i:]
	}
	if id == "" {
		return nil, ""
	}
	return below[end], id
}

// of returns the route with that method at the same path; nil: there is none.
func (rt *route) of(method string) *route {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for ; rt != nil && rt.method != method; rt = rt.also {
	}
	return rt
}

// ofSink reports whether the path names a sink.
func (rt *route) ofSink() bool { return strings.HasPrefix(rt.path, sinkPath) }

// allow is the Allow header of a reply to any other method.
func (rt *route) allow() string {
	methods := ""
	for ; rt != nil; rt = rt.also {
		own := rt.method
		if own == http.MethodGet {
			own = "GET, HEAD"
		}
		if methods != "" {
			own += ", "
		}
		methods = own + methods
	}
	return methods
}

// shorten keeps a caller's text from filling the reply.
func shorten(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
