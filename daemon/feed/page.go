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
	found := map[string]bool{}
	var about *event
	for i := range p.components {
		c := &p.components[i]
		if !match([]string{c.name}, components, found) {
			continue
		}
		r.see(c.name, c.word, c.state)
		if c.state != provider.ImpactNone && (about == nil || worse(c.state, about.impact)) {
			about = &event{name: c.name + ": " + cmp.Or(c.word, "no state"), impact: c.state}
		}
	}
	if p.lists {
		for _, name := range components {
			if !found[fold(name)] {
				r.Missing = append(r.Missing, name)
			}
		}
	}
	if e := p.worstEvent(components, &r); e != nil {
		// Where the components have a state, it is theirs that counts. An incident
		// that names one which works is worth knowing, and no more than that.
		impact := e.impact
		if p.lists {
			impact = provider.ImpactMinor
			switch {
			case about != nil:
				impact = about.impact
			case e.impact == provider.ImpactMaintenance, e.impact == provider.ImpactUnknown:
				impact = e.impact
			}
		}
		about = &event{name: e.name, impact: impact, since: e.since, url: e.url}
	}
	if about != nil {
		r.Impact = about.impact
		r.Incident = &provider.Incident{
			Name: line(about.name, maxName), Impact: about.impact,
			Since: provider.Time{Time: about.since}, URL: link(about.url, home),
		}
	} else if len(r.Missing) > 0 || p.lists && len(r.Components) == 0 {
		r.Impact = provider.ImpactUnknown
	}
	return r
}

// worstEvent is the worst of those that concern the components, and notes them in
// the evidence, with those that do not say whom they concern.
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
