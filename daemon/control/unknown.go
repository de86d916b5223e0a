package control

import (
	"cmp"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// unknownProvider suggests the ids that were probably meant, or else lists those that
// exist.
func unknownProvider(v store.View, id string) *provider.Error {
	const most = 10 // are listed
	known := make([]string, v.Len())
	for i := range known {
		known[i] = v.At(i).Status.ID
	}
	hint := "no provider is configured"
	if len(known) > 0 {
		hint = "configured: " + strings.Join(known[:min(most, len(known))], ", ")
	}
	if len(known) > most {
		hint += ", …"
	}
	hint = provider.DidYouMean(id, known, "", hint)
	if strings.Contains(id, "/") {
		hint = "another machine's server is known to status, pick, run, export and wait with --fleet, and to GET /api/fleet"
	}
	if ids := strings.FieldsFunc(id, isSeparator); len(ids) > 1 && !slices.ContainsFunc(ids, func(id string) bool { return v.Row(id) == nil }) {
		hint = "name each separately: " + shorten(strings.Join(ids, " "))
	}
	return provider.Errorf(provider.UnknownProvider, hint, "no such provider: %q", shorten(id))
}

// elsewhere is the id in the path of a request if it has a slash, as the names of other machines'
// servers do; "": it has none. Escaped is the path as it was sent, if that is not how it is usually
// escaped.
func elsewhere(escaped string) string {
	rest, ok := strings.CutPrefix(escaped, providersPath)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	if id, err := url.PathUnescape(name); err == nil && strings.Contains(id, "/") {
		return id
	}
	return ""
}

// isSeparator reports whether r separates ids in a list; it cannot be part of an id.
func isSeparator(r rune) bool { return r == ',' || r == ';' || r == ' ' }

// unknownProviderPath is [unknownProvider] for a path, which may have been meant for all
// providers.
func unknownProviderPath(v store.View, id, path string) *provider.Error {
	err := unknownProvider(v, id)
	if path != providersPath+id || strings.HasPrefix(err.Hint, "did you mean") {
		return err
	}
	var known []string // status and refresh
	for i := range routes {
		if end, ok := strings.CutPrefix(routes[i].path, providersPath); ok && byPath[routes[i].path] != nil {
			known = append(known, end)
		}
	}
	if near := provider.Nearest(id, known); len(near) > 0 {
		err.Hint = "did you mean: " + byPath[providersPath+near[0]].method + " " + providersPath + near[0]
	}
	return err
}

// unknownParameter also lists the parameters that exist.
func unknownParameter(name string, allowed []parameter) *provider.Error {
	hint := "this route takes no parameters"
	if len(allowed) > 0 {
		hint = nearAnd(name, namesOf(allowed), "this route takes: ")
	}
	return provider.Errorf(provider.BadRequest, hint, "unknown parameter %q", shorten(name))
}

// unknownField refuses a field that the route's body does not have, though its query may.
func unknownField(name string, rt *route) *provider.Error {
	hint := nearAnd(name, rt.fields, "the body takes: ")
	if has(rt.params, name) {
		hint = "put it into the query: ?" + name + "=…; the body takes: " + strings.Join(rt.fields, ", ")
	}
	return provider.Errorf(provider.BadRequest, hint, "unknown field %q", shorten(name))
}

// nearAnd suggests what is near, and lists all.
func nearAnd(typed string, known []string, lead string) string {
	all := lead + strings.Join(known, ", ")
	if near := provider.DidYouMean(typed, known, "", ""); near != "" {
		return near + "; " + all
	}
	return all
}

// unknownRoute names the route that was probably meant.
func unknownRoute(asked string) *provider.Error {
	hint := ""
	clean := path.Clean(asked)
	if rt, id := find(clean); rt != nil {
		hint = "try " + rt.method + " " + shorten(clean)
	} else if id != "" && strings.HasPrefix(clean, notifyPath) {
		hint = "below a sink there are: " + strings.Join(slices.Sorted(maps.Keys(bySink)), ", ")
	} else if id != "" {
		hint = tryBelow(id, clean)
	} else {
		near := nearestRoute(clean)
		hint = "try " + byPath[near].method + " " + near
	}
	return provider.Errorf(provider.UnknownRoute, hint, "no such route: %q", shorten(asked))
}

// tryBelow is a hint for an unknown route below a provider: the one that was probably
// meant, or else those that can be read.
func tryBelow(id, asked string) string {
	base := providersPath + id
	known := slices.Sorted(maps.Keys(byEnd))[1:] // without the row itself
	if near := provider.Nearest(strings.TrimPrefix(asked, base), known); len(near) > 0 {
		return "try " + byEnd[near[0]].method + " " + shorten(base) + near[0]
	}
	var readable []string
	for i := range routes {
		if end, ok := strings.CutPrefix(routes[i].path, onePath+"/"); ok && routes[i].method == "GET" {
			readable = append(readable, end)
		}
	}
	return "try GET " + shorten(base) + ", or below it: " + strings.Join(readable, ", ")
}

// nearestRoute is the route with the most similar path or, if none is similar, the one with
// the longest common beginning.
func nearestRoute(path string) string {
	known := append([]string{statusPath}, slices.Sorted(maps.Keys(byPath))...) // the most used one, if in doubt
	if near := provider.Nearest(path, known); len(near) > 0 {
		return near[0]
	}
	return slices.MaxFunc(known, func(a, b string) int { // the first of equals
		return cmp.Compare(commonPrefix(path, a), commonPrefix(path, b))
	})
}

// commonPrefix is the length of the common beginning of a and b, in bytes.
func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
