package feed

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// awsStates are the states of an event. AWS documents them nowhere; they match the four
// signs on its dashboard: normal, informational, degraded, disrupted.
var awsStates = words{
	"0": provider.ImpactNone,
	"1": provider.ImpactMinor,
	"2": provider.ImpactMinor,
	"3": provider.ImpactCritical,
}

// readAWS reads https://health.aws.amazon.com/public/currentevents, which the AWS
// Health Dashboard shows: a list of events, in UTF-16. A service has one id for
// each region, such as bedrock-us-east-1, and one name for all.
func readAWS(body []byte) (*page, error) {
	var doc []struct {
		Date    loose  `json:"date"` // Unix seconds
		Status  loose  `json:"status"`
		Service string `json:"service"`
		Name    string `json:"service_name"`
		Summary string `json:"summary"`
		Region  string `json:"region_name"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, errors.New("it is not a list")
	}
	p := &page{}
	for _, a := range doc {
		if a.Service == "" && a.Name == "" {
			return nil, errors.New("an event names no service")
		}
		impact := awsStates.mean(string(a.Status))
		if impact == provider.ImpactNone {
			continue
		}
		e := event{name: a.Summary, word: string(a.Status), impact: impact, affects: []string{a.Service, a.Name}}
		if a.Region != "" {
			e.name += " (" + a.Region + ")"
		}
		if s, err := strconv.ParseInt(string(a.Date), 10, 64); err == nil && s > 0 && s < 1<<33 {
			e.since = time.Unix(s, 0).UTC()
		}
		p.events = append(p.events, e)
	}
	return p, nil
}

// loose is a string that may be given as a number.
type loose string

// UnmarshalJSON implements [json.Unmarshaler].
func (l *loose) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*l = loose(text)
		return nil
	}
	*l = loose(strings.TrimSpace(string(b)))
	return nil
}
