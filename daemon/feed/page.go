package feed

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A page is a document of any format, read.
type page struct {
	// lists: every component that there is stands in it with its state, which then
	// decides. Where it is false the document has incidents only, and a component
	// without one is not mentioned.
	lists      bool
	components []component
	events     []event // those that are not over
}

type component struct {
	name  string
	word  string // the feed's own, for the evidence
	state provider.Impact
}

// An event is an incident, or maintenance that is under way.
type event struct {
	name    string
	word    string
	impact  provider.Impact
	since   time.Time
	url     string
	affects []string // names of components; nil when it does not say
}

// A Reading is what a feed says of one provider.
type Reading struct {
	Impact   provider.Impact
	Incident *provider.Incident // nil when nothing is reported, or nothing can be told

	Components []provider.FeedComponent
	Missing    []string
	Unassigned []string
}

const (
	maxName       = 200 // bytes of a name or a word from a feed
	maxURL        = 500
	maxComponents = 20 // in the evidence
)

// read finds what the page says of the components, or of all there are when none
// is named. Names are compared whole and in any case: "API" is not "API Console".
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

// worstComponent is the worst of the components, as if it were an incident of that
// name; nil when all of them are well. It notes in the evidence what they say, and
// which are missing.
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

// worstEvent is the worst of those that concern the components, nil when there are
// none. It notes them in the evidence, with those that do not say whom they concern.
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

// together is an incident with how bad it is for the components. Where these have a
// state, it is theirs that counts: an incident that names one which works is worth
// knowing, and no more than that.
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

// match reports whether one of the names is one of those wanted; none wanted is all
// of them. It notes in found, where it is given, which were.
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

// fold makes names comparable: blanks and case are the vendor's taste.
func fold(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// ranks orders the impacts. What is not known is worse than what is known to be
// small, and does not hide an outage.
var ranks = map[provider.Impact]int{
	provider.ImpactNone: 0, provider.ImpactMaintenance: 1, provider.ImpactMinor: 2,
	provider.ImpactUnknown: 3, provider.ImpactMajor: 4, provider.ImpactCritical: 5,
}

func worse(a, b provider.Impact) bool { return ranks[a] > ranks[b] }

// words are what a format says, in small letters, and what it means.
type words map[string]provider.Impact

func (w words) mean(word string) provider.Impact {
	if impact, ok := w[strings.ToLower(strings.TrimSpace(word))]; ok {
		return impact
	}
	return provider.ImpactUnknown
}

// link is where to read on: what the feed says when that is a web address, which
// may be relative to the vendor's page, and else the page itself.
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

// homeOf is the page for people: the root of the host that has the feed.
func homeOf(feed string) string {
	u, err := url.Parse(feed)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/"
}
