package dashboard

import (
	"encoding/json"
	"net/url"
	"slices"
)

const refreshPath = "/api/providers/refresh"

// namedOnce returns the body of a refresh. Older pages name the provider both in the query and
// in the body, which the daemon refuses. A body with nothing but that name is dropped; any
// other is left to the daemon.
func namedOnce(query string, body []byte) []byte {
	values, err := url.ParseQuery(query)
	if err != nil || len(body) == 0 || len(values["provider_id"]) == 0 {
		return body
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || len(fields) != 1 {
		return body
	}
	var one string
	var several []string
	switch named := fields["provider_id"]; {
	case json.Unmarshal(named, &one) == nil:
		several = []string{one}
	case json.Unmarshal(named, &several) != nil:
		return body
	}
	if slices.Equal(several, values["provider_id"]) {
		return nil
	}
	return body
}
