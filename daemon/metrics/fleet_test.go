package metrics_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestMetrics_OfTheFleet(t *testing.T) {
	r := newRig(t)
	r.fleet = provider.FleetReply{Mode: provider.FleetOK, Counters: provider.FleetCounters{Writes: 1, Claims: 2, Fenced: 3, OwnChecks: 4, Refused: 5, Alone: 6}}
	lines := func(text string) string {
		var found []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "providerd_fleet_") {
				found = append(found, strings.TrimPrefix(line, "providerd_fleet_"))
			}
		}
		return strings.Join(found, "")
	}
	const counters = "own_checks_total 4\nrefused_values_total 5\nwrites_total 1\n"
	for name, tc := range map[string]struct {
		mode provider.FleetMode
		why  string
		want string
	}{
		"Member":     {provider.FleetOK, "", "alone_total 6\nclaims_total 2\nfenced_writes_total 3\nmode{mode=\"ok\"} 1\nok 1\n" + counters},
		"Alone":      {provider.FleetAlone, "no answer", "alone_total 6\nclaims_total 2\nfenced_writes_total 3\nmode{mode=\"alone\"} 1\nok 0\n" + counters},
		"Connecting": {provider.FleetConnecting, "", "alone_total 6\nclaims_total 2\nfenced_writes_total 3\nmode{mode=\"connecting\"} 1\nok 0\n" + counters},
		"Unusable":   {provider.FleetOff, "no key", "alone_total 6\nclaims_total 2\nfenced_writes_total 3\nmode{mode=\"off\"} 1\nok 0\n" + counters},
		"None":       {provider.FleetOff, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r.fleet.Mode, r.fleet.Why = tc.mode, tc.why
			if got := lines(r.text()); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}
