package feed

import (
	"errors"

	"github.com/providerd/providerd/store/provider"
)

// instatusStates are the states of a component (instatus.com/help/webhooks), the impacts of
// an incident, and the states of a whole page (instatus.com/help/api/public-data).
var instatusStates = words{
	"operational":         provider.ImpactNone,
	"undermaintenance":    provider.ImpactMaintenance,
	"degradedperformance": provider.ImpactMinor,
	"minoroutage":         provider.ImpactMinor,
	"partialoutage":       provider.ImpactMajor,
	"majoroutage":         provider.ImpactCritical,
	"up":                  provider.ImpactNone,
	"hasissues":           provider.ImpactMinor, // its incidents say how bad
}

type instatusIncident struct {
	Name    string `json:"name"`
	Status  string `json:"status"`
	Impact  string `json:"impact"`
	Started string `json:"started"`
	URL     string `json:"url"`
}

// readInstatus reads two documents of Instatus's pages: /v2/components.json, which has the
// state of each component, and /summary.json, which has only that of the page; there the
// page's name is the only component.
func readInstatus(body []byte) (*page, error) {
	var doc struct {
		Components []struct {
			Name      string             `json:"name"`
			Status    string             `json:"status"`
			Incidents []instatusIncident `json:"activeIncidents"`
		} `json:"components"`
		Page struct {
			Name   string `json:"name"`
			Status string `json:"status"`
		} `json:"page"`
		Incidents []instatusIncident `json:"activeIncidents"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	p := &page{lists: true}
	add := func(name, status string, incidents []instatusIncident) {
		c := component{name: name, word: status, state: instatusStates.mean(status)}
		for _, i := range incidents {
			if i.Status == "RESOLVED" {
				continue
			}
			e := event{name: i.Name, word: i.Impact, impact: instatusStates.mean(i.Impact),
				since: moment(i.Started), url: i.URL, affects: []string{name}}
			p.events = append(p.events, e)
			if status == "HASISSUES" && worse(e.impact, c.state) {
				c.word, c.state = i.Impact, e.impact
			}
		}
		p.components = append(p.components, c)
	}
	for _, c := range doc.Components {
		add(c.Name, c.Status, c.Incidents)
	}
	if len(doc.Components) == 0 {
		if doc.Page.Status == "" {
			return nil, errors.New("it has neither components nor the status of a page")
		}
		add(doc.Page.Name, doc.Page.Status, doc.Incidents)
	}
	return p, nil
}
