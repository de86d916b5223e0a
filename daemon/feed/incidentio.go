package feed

import (
	"errors"

	"github.com/providerd/providerd/store/provider"
)

// incidentIOStates are the states of a component, and of an incident at its worst
// (docs.incident.io/status-pages/api and /api-reference/status-page-incidents-v2).
var incidentIOStates = words{
	"operational":          provider.ImpactNone,
	"degraded_performance": provider.ImpactMinor,
	"partial_outage":       provider.ImpactMajor,
	"full_outage":          provider.ImpactCritical,
	"under_maintenance":    provider.ImpactMaintenance,
}

// An incidentIOEvent is an incident, or maintenance in progress.
type incidentIOEvent struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	URL        string `json:"url"`
	Worst      string `json:"current_worst_impact"`
	StartedAt  string `json:"started_at"` // of maintenance
	Components []struct {
		Name   string `json:"name"`
		Group  string `json:"group_name"`
		Status string `json:"current_status"`
	} `json:"affected_components"`
}

// readIncidentIO reads the Widget API of incident.io's pages, /api/v1/summary
// (docs.incident.io/status-pages/embedding). It lists only incidents, each with the
// components that it affects; a group's name stands for its components.
func readIncidentIO(body []byte) (*page, error) {
	var doc struct {
		Incidents    []incidentIOEvent `json:"ongoing_incidents"`
		Maintenances []incidentIOEvent `json:"in_progress_maintenances"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if doc.Incidents == nil || doc.Maintenances == nil {
		return nil, errors.New("it lacks ongoing_incidents or in_progress_maintenances")
	}
	p := &page{}
	for _, i := range doc.Incidents {
		if i.Status != "resolved" {
			p.events = append(p.events, i.split("")...)
		}
	}
	for _, m := range doc.Maintenances {
		p.events = append(p.events, m.split(provider.ImpactMaintenance)...)
	}
	return p, nil
}

// split makes an event for each component, as each has a state of its own.
func (e *incidentIOEvent) split(all provider.Impact) []event {
	impact := func(word string) provider.Impact {
		if all != "" {
			return all
		}
		if i := incidentIOStates.mean(word); i != provider.ImpactNone {
			return i
		}
		return provider.ImpactMinor // it works again, and the incident is not over
	}
	whole := event{name: e.Name, word: e.Worst, impact: impact(e.Worst), since: moment(e.StartedAt), url: e.URL}
	if len(e.Components) == 0 {
		return []event{whole}
	}
	var out []event
	for _, c := range e.Components {
		one := whole
		one.affects = []string{c.Name}
		if c.Group != "" {
			one.affects = append(one.affects, c.Group)
		}
		if c.Status != "" {
			one.word, one.impact = c.Status, impact(c.Status)
		}
		out = append(out, one)
	}
	return out
}
