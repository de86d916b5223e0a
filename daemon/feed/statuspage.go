package feed

import (
	"errors"

	"github.com/providerd/providerd/store/provider"
)

// statuspageStates are the states of a component (developer.statuspage.io, and each site's
// page at /api).
var statuspageStates = words{
	"operational":          provider.ImpactNone,
	"degraded_performance": provider.ImpactMinor,
	"partial_outage":       provider.ImpactMajor,
	"major_outage":         provider.ImpactCritical,
	"under_maintenance":    provider.ImpactMaintenance,
}

// statuspageImpacts are the impacts of an incident.
var statuspageImpacts = words{
	"none":        provider.ImpactMinor, // it is an incident all the same
	"minor":       provider.ImpactMinor,
	"major":       provider.ImpactMajor,
	"critical":    provider.ImpactCritical,
	"maintenance": provider.ImpactMaintenance,
}

// A statuspageEvent is an incident or planned maintenance.
type statuspageEvent struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	Impact     string `json:"impact"`
	CreatedAt  string `json:"created_at"`
	StartedAt  string `json:"started_at"`
	Shortlink  string `json:"shortlink"`
	Components []struct {
		Name string `json:"name"`
	} `json:"components"`
}

// readStatuspage reads Atlassian Statuspage's /api/v2/summary.json. incident.io's pages have
// it too, with incidents that name no component.
func readStatuspage(body []byte) (*page, error) {
	var doc struct {
		Components []struct {
			Name   string `json:"name"`
			Status string `json:"status"`
		} `json:"components"`
		Incidents    []statuspageEvent `json:"incidents"`
		Maintenances []statuspageEvent `json:"scheduled_maintenances"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if len(doc.Components) == 0 {
		return nil, errors.New("it lists no components")
	}
	p := &page{lists: true}
	for _, c := range doc.Components {
		p.components = append(p.components, component{
			name: c.Name, word: c.Status, state: statuspageStates.mean(c.Status),
		})
	}
	for _, i := range doc.Incidents {
		switch i.Status {
		case "resolved", "postmortem", "completed", "scheduled":
			continue
		}
		p.events = append(p.events, i.event(statuspageImpacts.mean(i.Impact)))
	}
	for _, m := range doc.Maintenances {
		switch m.Status {
		case "in_progress", "verifying":
			p.events = append(p.events, m.event(provider.ImpactMaintenance))
		case "scheduled", "completed":
		default:
			p.events = append(p.events, m.event(provider.ImpactUnknown))
		}
	}
	return p, nil
}

func (e *statuspageEvent) event(impact provider.Impact) event {
	since := moment(e.StartedAt)
	if since.IsZero() {
		since = moment(e.CreatedAt)
	}
	out := event{name: e.Name, word: e.Impact, impact: impact, since: since, url: e.Shortlink}
	for _, c := range e.Components {
		out.affects = append(out.affects, c.Name)
	}
	return out
}
