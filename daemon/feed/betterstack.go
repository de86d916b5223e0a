package feed

import (
	"errors"

	"github.com/providerd/providerd/store/provider"
)

// betterStackStates are the states of a resource. An unmonitored one is unknown.
var betterStackStates = words{
	"operational":   provider.ImpactNone,
	"degraded":      provider.ImpactMinor,
	"downtime":      provider.ImpactCritical,
	"maintenance":   provider.ImpactMaintenance,
	"not_monitored": provider.ImpactUnknown,
}

// A betterStackPart is a resource, a report or another part of the page.
type betterStackPart struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Attributes struct {
		Name     string  `json:"public_name"`
		Status   string  `json:"status"`
		Title    string  `json:"title"`
		Kind     string  `json:"report_type"`
		State    string  `json:"aggregate_state"`
		StartsAt string  `json:"starts_at"`
		EndsAt   *string `json:"ends_at"`
		Affected []struct {
			ID string `json:"status_page_resource_id"`
		} `json:"affected_resources"`
	} `json:"attributes"`
}

// readBetterStack reads /index.json of Better Stack's pages
// (betterstack.com/docs/uptime/status-pages/subscribing-to-status-updates/subscribing-to-api):
// resources with their states, and past and present reports about them.
func readBetterStack(body []byte) (*page, error) {
	var doc struct {
		Data struct {
			Attributes struct {
				State string `json:"aggregate_state"`
			} `json:"attributes"`
		} `json:"data"`
		Included []betterStackPart `json:"included"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if doc.Data.Attributes.State == "" {
		return nil, errors.New("it lacks an aggregate_state")
	}
	p := &page{lists: true}
	names := map[string]string{}
	for i := range doc.Included {
		if in := &doc.Included[i]; in.Type == "status_page_resource" {
			a := &in.Attributes
			names[in.ID] = a.Name
			p.components = append(p.components, component{
				name: a.Name, word: a.Status, state: betterStackStates.mean(a.Status),
			})
		}
	}
	if len(p.components) == 0 {
		return nil, errors.New("it lists no resources")
	}
	for i := range doc.Included {
		if in := &doc.Included[i]; in.Type == "status_report" && in.open() {
			p.events = append(p.events, in.event(names))
		}
	}
	return p, nil
}

// open reports whether a report is not over. Planned maintenance has an end from the start;
// whether it is in progress shows in the resources.
func (b *betterStackPart) open() bool {
	return b.Attributes.EndsAt == nil || *b.Attributes.EndsAt == ""
}

func (b *betterStackPart) event(names map[string]string) event {
	a := &b.Attributes
	e := event{name: a.Title, word: a.State, impact: betterStackStates.mean(a.State), since: moment(a.StartsAt)}
	if a.Kind == "maintenance" {
		e.impact = provider.ImpactMaintenance
	}
	for _, r := range a.Affected {
		e.affects = append(e.affects, names[r.ID])
	}
	return e
}
