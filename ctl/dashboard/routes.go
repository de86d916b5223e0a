package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A route is one of the daemon's routes that is forwarded.
type route struct {
	method string
	path   string        // below the base; {id} stands for a provider's id
	to     string        // the daemon's path; empty if it is the same
	wait   time.Duration // how long the daemon waits by default
}

// routes are what the views and a client of the refresh contract need. The daemon's other
// routes are for tools, or show more than a page should: the configuration, the backup, the
// metrics.
var routes = []route{
	{method: http.MethodGet, path: "/api/providers/status", wait: 5 * time.Second},
	{method: http.MethodGet, path: "/api/providers/{id}"},
	{method: http.MethodGet, path: "/api/providers/{id}/models"},
	{method: http.MethodGet, path: "/api/providers/{id}/diagnostics"},
	{method: http.MethodGet, path: "/api/providers/{id}/history"},
	{method: http.MethodGet, path: "/api/history"},
	{method: http.MethodGet, path: "/api/events"},
	{method: http.MethodGet, path: "/api/daemon"},
	{method: http.MethodGet, path: "/api/daemon/log"},
	{method: http.MethodGet, path: "/api/notify"},
	{method: http.MethodGet, path: "/api/fleet"},
	{method: http.MethodGet, path: "/api/healthz", to: "/healthz"},
	{method: http.MethodPost, path: "/api/providers/refresh"},
	{method: http.MethodPost, path: "/api/providers/{id}/diagnose", wait: 15 * time.Second},
	{method: http.MethodPost, path: "/api/providers/{id}/pause"},
	{method: http.MethodPost, path: "/api/providers/{id}/resume"},
	{method: http.MethodPost, path: "/api/daemon/reload", wait: 10 * time.Second},
}

// find returns the route of a request and the daemon's path, with the id in its plain
// spelling. If there is none, allow lists the methods that the path has; empty: no such
// path.
func find(method, path string) (found *route, to, allow string) {
	var allowed []string
	for i := range routes {
		r := &routes[i]
		to, ok := r.match(path)
		switch {
		case !ok:
		case r.method == method || r.method == http.MethodGet && method == http.MethodHead:
			return r, to, ""
		case r.method == http.MethodGet:
			allowed = append(allowed, "GET", "HEAD")
		default:
			allowed = append(allowed, r.method)
		}
	}
	return nil, "", strings.Join(allowed, ", ")
}

func (r *route) match(path string) (to string, ok bool) {
	wanted, given := strings.Split(r.path, "/"), strings.Split(path, "/")
	if len(wanted) != len(given) {
		return "", false
	}
	for i, segment := range wanted {
		if segment != "{id}" {
			if segment != given[i] {
				return "", false
			}
			continue
		}
		id, err := url.PathUnescape(given[i])
		if err != nil || !provider.CanBeID(id) { // no provider can have it
			return "", false
		}
		given[i] = id
	}
	if r.to != "" {
		return r.to, true
	}
	return strings.Join(given, "/"), true
}

// maxWait is the longest wait that the daemon accepts.
const maxWait = 10 * time.Minute

// waitOf is how long the daemon may take in addition to the time of a plain reply.
func (r *route) waitOf(query string) time.Duration {
	values, _ := url.ParseQuery(query) // the daemon refuses a bad one
	wait, err := time.ParseDuration(values.Get("wait"))
	if err != nil || wait < 0 {
		return r.wait
	}
	return min(wait, maxWait)
}
