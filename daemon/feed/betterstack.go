package feed

import (
	"errors"

	"github.com/providerd/providerd/store/provider"
)

// betterStackStates are a resource's. Of one that is not monitored nothing is
// known.
var betterStackStates = words{
	"operational":   provider.ImpactNone,
	"degraded":      provider.ImpactMinor,
	"downtime":      provider.ImpactCritical,
	"maintenance":   provider.ImpactMaintenance,
	"not_monitored": provider.ImpactUnknown,
}

// readBetterStack reads /index.json of Better Stack's pages
// (betterstack.com/docs/uptime/status-pages/subscribing-to-status-updates/subscribing-to-api):
// resources with their state, and the reports that are or were about them.
func readBetterStack(body []byte) (*page, error) {
	var doc struct {
		Data struct {
			Attributes struct {
				State string `json:"aggregate_state"`
			} `json:"attributes"`
		} `json:"data"`
		Included []struct {
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
		} `json:"included"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if doc.Data.Attributes.State == "" {
		return nil, errors.New("it lacks an aggregate_state")
	}
	p := &page{lists: true}
	names := map[string]string{}
	for _, in := range doc.Included {
		if in.Type == "status_page_resource" {
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
	for _, in := range doc.Included {
		a := &in.Attributes
		if in.Type != "status_report" || a.EndsAt != nil && *a.EndsAt != "" {
			continue
		}
		e := event{name: a.Title, word: a.State, impact: betterStackStates.mean(a.State), since: moment(a.StartsAt)}
		if a.Kind == "maintenance" {
			e.impact = provider.ImpactMaintenance
		}
		for _, r := range a.Affected {
			e.affects = append(e.affects, names[r.ID])
		}
		p.events = append(p.events, e)
	}
	return p, nil
}
