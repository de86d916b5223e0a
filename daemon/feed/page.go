package feed

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A page is the content of a document in any format.
type page struct {
	// lists means that the document lists every component with its state, which then
	// decides. Otherwise it has only incidents, and a component without one is not
	// mentioned.
	lists      bool
	components []component
	events     []event // not those that are over
}

type component struct {
	name  string
	word  string // the feed's own word, for the evidence
	state provider.Impact
}

// An event is an incident, or maintenance in progress.
type event struct {
	name    string
	word    string
	impact  provider.Impact
	since   time.Time
	url     string
	affects []string // names of components; nil if it does not say
}

// A Reading is what a feed says about one provider.
type Reading struct {
	Impact   provider.Impact
	Incident *provider.Incident // nil if nothing is reported, or nothing is known

	Components []provider.FeedComponent
	Missing    []string
	Unassigned []string
}

const (
	maxName       = 200 // bytes, for a name or a word from a feed
	maxURL        = 500
	maxComponents = 20 // in the evidence
)

// read returns what the page says about the named components, or about all if none is named.
// Names must match as a whole, in any case: "API" is not "API Console".
func (p *page) read(components []string, home string) Reading {
	r := Reading{Impact: provider.ImpactNone}
	about := p.worstComponent(components, &r)
	if e := p.worstEvent(components, &r); e != nil {
		about = p.together(about, e)
	}
	switch {
	case about != nil:
		r.Impact = about.impact
		r.Incident = &provider.Incident{
			Name: line(about.name, maxName), Impact: about.impact,
			Since: provider.Time{Time: about.since}, URL: link(about.url, home),
		}
	case len(r.Missing) > 0 || p.lists && len(r.Components) == 0:
		r.Impact = provider.ImpactUnknown
	}
	return r
}

// worstComponent is the worst of the components, as an incident with its name; nil if all
// are fine. It adds to the evidence what they say, and which are missing.
func (p *page) worstComponent(components []string, r *Reading) (worst *event) {
	found := map[string]bool{}
	for i := range p.components {
		c := &p.components[i]
		if !match([]string{c.name}, components, found) {
			continue
		}
		r.see(c.name, c.word, c.state)
		if c.state != provider.ImpactNone && (worst == nil || worse(c.state, worst.impact)) {
			worst = &event{name: c.name + ": " + cmp.Or(c.word, "no state"), impact: c.state}
		}
	}
	for _, name := range components {
		if p.lists && !found[fold(name)] {
			r.Missing = append(r.Missing, name)
		}
	}
	return worst
}

// worstEvent is the worst of the events that affect the components, nil if there are none.
// It adds these to the evidence, and those that do not say what they affect.
func (p *page) worstEvent(components []string, r *Reading) (worst *event) {
	for i := range p.events {
		e := &p.events[i]
		switch {
		case len(e.affects) == 0 && len(components) > 0:
			if len(r.Unassigned) < maxComponents {
				r.Unassigned = append(r.Unassigned, line(e.name, maxName))
			}
			continue
		case !match(e.affects, components, nil):
			continue
		}
		if !p.lists {
			r.see(cmp.Or(strings.Join(e.affects, ", "), e.name), e.word, e.impact)
		}
		if worst == nil || worse(e.impact, worst.impact) {
			worst = e
		}
	}
	return worst
}

// together combines an incident with the components' states. Where components have states,
// these count: an incident that names a component that works is only for information.
func (p *page) together(component, e *event) *event {
	both := *e
	switch {
	case !p.lists:
	case component != nil:
		both.impact = component.impact
	case e.impact != provider.ImpactMaintenance && e.impact != provider.ImpactUnknown:
		both.impact = provider.ImpactMinor
	}
	return &both
}

// see adds to the evidence.
func (r *Reading) see(name, word string, impact provider.Impact) {
	if len(r.Components) < maxComponents {
		r.Components = append(r.Components, provider.FeedComponent{
			Name: line(name, maxName), Word: line(word, maxName), Impact: impact,
		})
	}
}

// match reports whether one of the names is wanted; if none is given as wanted, all are. It
// notes those in found, unless that is nil.
func match(names, wanted []string, found map[string]bool) bool {
	if len(wanted) == 0 {
		return true
	}
	any := false
	for _, name := range names {
		for _, w := range wanted {
			if key := fold(w); fold(name) == key {
				any = true
				if found != nil {
					found[key] = true
				}
			}
		}
	}
	return any
}

// fold makes names comparable: vendors vary blanks and case.
func fold(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// ranks orders the impacts. Unknown is worse than minor, and does not hide an outage.
var ranks = map[provider.Impact]int{
	provider.ImpactNone: 0, provider.ImpactMaintenance: 1, provider.ImpactMinor: 2,
	provider.ImpactUnknown: 3, provider.ImpactMajor: 4, provider.ImpactCritical: 5,
}

func worse(a, b provider.Impact) bool { return ranks[a] > ranks[b] }

// words map a format's words, in lower case, to what they mean.
type words map[string]provider.Impact

func (w words) mean(word string) provider.Impact {
	if impact, ok := w[strings.ToLower(strings.TrimSpace(word))]; ok {
		return impact
	}
	return provider.ImpactUnknown
}

// link is the page with more information: the feed's link if it is a web address, perhaps
// relative to the vendor's page, and otherwise the vendor's page.
func link(said, home string) string {
	base, err := url.Parse(home)
	if err != nil {
		return ""
	}
	u, err := base.Parse(strings.TrimSpace(said))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return home
	}
	if full := u.String(); len(full) <= maxURL {
		return full
	}
	return home
}

// homeOf is the page for people: the root of the feed's host.
func homeOf(feed string) string {
	u, err := url.Parse(feed)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/"
}
