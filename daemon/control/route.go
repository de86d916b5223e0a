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
	path   string // {id} stands for the provider
	serve  func(*Server, *call) *provider.Error

	// For routes that only administrators may use. In both texts ID stands for the
	// provider, and WHAT for a value from the body.
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

// byPath has the routes without a provider, and byEnd those with one, by what follows the
// id.
var byPath, byEnd = index(routes)

func index(rows []route) (byPath, byEnd map[string]*route) {
	byPath, byEnd = make(map[string]*route), make(map[string]*route)
	for i := range rows {
		if end, ok := strings.CutPrefix(rows[i].path, onePath); ok {
			byEnd[end] = &rows[i]
		} else {
			byPath[rows[i].path] = &rows[i]
		}
	}
	return byPath, byEnd
}

// find returns the route of a decoded path and the provider that it names, or nil.
// [http.ServeMux] is not used: it costs more than the rest of a cached read, and would
// answer an unknown path with plain text and an unclean one with a redirect.
func find(path string) (rt *route, id string) {
	if rt, ok := byPath[path]; ok {
		return rt, ""
	}
	rest, ok := strings.CutPrefix(path, providersPath)
	if !ok {
		return nil, ""
	}
	id, end := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		id, end = rest[:i], rest[i:]
	}
	if id == "" {
		return nil, ""
	}
	return byEnd[end], id
}

// allows reports whether the route takes the method.
func (rt *route) allows(method string) bool {
	return method == rt.method || method == http.MethodHead && rt.method == http.MethodGet
}

// allow is the Allow header of a reply to any other method.
func (rt *route) allow() string {
	if rt.method == http.MethodGet {
		return "GET, HEAD"
	}
	return rt.method
}

// shorten keeps a caller's text from filling the reply.
func shorten(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
