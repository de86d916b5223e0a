package feed

import (
	"errors"

	"github.com/providerd/providerd/store/provider"
)

// googleStates are the states of an incident, now or at its worst
// (status.cloud.google.com/incidents.schema.json). On the dashboard a disruption is orange
// and an outage is red.
var googleStates = words{
	"available":           provider.ImpactNone,
	"service_information": provider.ImpactNone,
	"service_disruption":  provider.ImpactMinor,
	"service_outage":      provider.ImpactCritical,
}

// readGoogleCloud reads https://status.cloud.google.com/incidents.json: incidents old and
// new; those without an end are not over.
func readGoogleCloud(body []byte) (*page, error) {
	var doc []struct {
		Begin    string `json:"begin"`
		End      string `json:"end"`
		Desc     string `json:"external_desc"`
		URI      string `json:"uri"`
		Worst    string `json:"status_impact"`
		Service  string `json:"service_name"`
		Products []struct {
			Title string `json:"title"`
		} `json:"affected_products"`
		Latest struct {
			Status string `json:"status"`
		} `json:"most_recent_update"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, errors.New("it is not a list")
	}
	p := &page{}
	for _, i := range doc {
		if i.Begin == "" {
			return nil, errors.New("an incident has no begin")
		}
		word := i.Latest.Status
		if word == "" {
			word = i.Worst
		}
		impact := googleStates.mean(word)
		if i.End != "" || impact == provider.ImpactNone {
			continue
		}
		e := event{name: i.Desc, word: word, impact: impact, since: moment(i.Begin), url: i.URI}
		for _, product := range i.Products {
			e.affects = append(e.affects, product.Title)
		}
		if i.Service != "" {
			e.affects = append(e.affects, i.Service)
		}
		p.events = append(p.events, e)
	}
	return p, nil
}
