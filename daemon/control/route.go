package control

import (
	"net/http"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A route is what one path answers to. Each takes one method; a GET route takes
// HEAD too.
type route struct {
	method  string
	op      operation
	phrase  string                      // what it does, as in "may not …"; for those that not everybody may use
	command string                      // the same as an argument of providerctl; in both ID stands for the provider, WHAT for what the body says
	params  []string                    // that the query may have
	fields  []string                    // that the body may have; nil: there is no body
	sends   string                      // a body as it may be
	what    func(*Server, *call) string // WHAT, read from the body
	serve   func(*Server, *call) *provider.Error
}

const (
	providersPath = "/api/providers/"
	statusPath    = "/api/providers/status"
	refreshPath   = "/api/providers/refresh"
)

// routes are the paths that name no provider.
var routes = map[string]*route{
	statusPath: {method: "GET", params: []string{"provider_id", "max_age", "wait"}, serve: (*Server).status},
	refreshPath: {method: "POST", params: []string{"provider_id", "wait", "force"}, fields: []string{"provider_id"},
		sends: `{"provider_id":"ollama"} or {"provider_id":["ollama","openai"]}`, serve: (*Server).refresh},
	"/api/discover":         {method: "POST", serve: (*Server).discover},
	"/api/events":           {method: "GET", params: []string{"since", "follow"}, serve: (*Server).events},
	"/api/daemon":           {method: "GET", serve: (*Server).info},
	"/api/daemon/reload":    {method: "POST", op: opAdmin, phrase: "reload the configuration", command: "reload", serve: (*Server).reload},
	"/api/daemon/log-level": {method: "PUT", op: opAdmin, phrase: "change the log level", command: "log-level WHAT", fields: []string{"level"}, sends: `{"level":"debug"}`, what: (*Server).whatLevel, serve: (*Server).logLevel},
	"/api/daemon/log":       {method: "GET", op: opAdmin, phrase: "read the log", command: "logs", params: []string{"lines", "follow"}, serve: (*Server).logLines},
	"/api/daemon/backup":    {method: "GET", op: opAdmin, phrase: "back up the database", command: "backup FILE", serve: (*Server).backup},
	"/api/openapi.json":     {method: "GET", serve: (*Server).describe},
	"/healthz":              {method: "GET", serve: (*Server).health},
	"/metrics":              {method: "GET", serve: (*Server).scrape},
}

// providerRoutes are the paths below /api/providers/{id}, by what follows it.
var providerRoutes = map[string]*route{
	"":             {method: "GET", serve: (*Server).row},
	"/models":      {method: "GET", serve: (*Server).models},
	"/diagnostics": {method: "GET", serve: (*Server).diagnostics},
	"/diagnose":    {method: "POST", params: []string{"wait", "force"}, serve: (*Server).diagnose},
	"/history":     {method: "GET", serve: (*Server).history},
	"/pause":       {method: "POST", op: opAdmin, phrase: "pause ID", command: "pause ID", serve: (*Server).pause},
	"/report":      {method: "POST", op: opAdmin, phrase: "report on ID", command: "report ID WHAT", fields: []string{"status", "error", "retry_after"}, sends: `{"status":429,"retry_after":"60"}`, what: (*Server).whatReport, serve: (*Server).report},
	"/resume":      {method: "POST", op: opAdmin, phrase: "resume ID", command: "resume ID", serve: (*Server).resume},
}

// find returns the route of a decoded path and the provider it names, or nil.
// [http.ServeMux] is not used: it costs more than the rest of a cached read, and
// would answer an unknown path with plain text and an unclean one with a
// redirect.
func find(path string) (rt *route, id string) {
	if rt, ok := routes[path]; ok {
		return rt, ""
	}
	rest, ok := strings.CutPrefix(path, providersPath)
	if !ok {
		return nil, ""
	}
	id, sub := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		id, sub = rest[:i], rest[i:]
	}
	if id == "" {
		return nil, ""
	}
	return providerRoutes[sub], id
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

// shorten keeps what a caller sent from filling the reply.
func shorten(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
