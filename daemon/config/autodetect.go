package config

import (
	"slices"

	"github.com/providerd/providerd/store/provider"
)

// autodetect is what is worth probing on any machine: the Default kinds, then each cloud kind
// whose key is in the environment. A kind that the file names is left to the file, so that
// enabled = false switches it off for good.
func (r *reading) autodetect(entries []*table, defaults timing) []Provider {
	var out []Provider
	for _, kind := range r.worthAsking() {
		if slices.ContainsFunc(entries, func(t *table) bool { return t.values["kind"] == kind.Name }) {
			continue
		}
		if i := slices.IndexFunc(entries, func(t *table) bool { return t.values["id"] == kind.Name }); i >= 0 {
			r.warn(entries[i].at("id"), "autodetect leaves out kind %s: its id is taken by this provider", kind.Name)
			continue
		}
		if p, ok := r.detected(kind, defaults); ok {
			out = append(out, p)
		}
	}
	return out
}

func (r *reading) worthAsking() []*Kind {
	var first, then []*Kind
	for i := range r.kinds {
		switch kind := &r.kinds[i]; {
		case kind.Default:
			first = append(first, kind)
		case kind.Type == provider.Cloud && kind.keyIsSet(r.env) && kind.hasAddress(r.env):
			then = append(then, kind)
		}
	}
	return append(first, then...)
}

// detected is a provider with only its kind's own settings.
func (r *reading) detected(kind *Kind, defaults timing) (Provider, bool) {
	p := Provider{ID: kind.Name, Kind: kind.Name, Type: kind.Type, Detected: true, Hints: kind.Hints}
	p.setTiming(kind.timing(timing{}, defaults))
	if f := r.defaultAddress(&p, kind); f != nil {
		r.reject(nowhere, f)
		return p, false
	}
	r.checkVariables(&p, kind)
	r.vendorKey(&p, kind)
	r.missKey(&p, kind, "")
	p.setFeed(kind, feedSetting{})
	p.setClient(kind)
	return p, true
}
