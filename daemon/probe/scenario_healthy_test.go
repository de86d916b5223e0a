package probe_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// healthyOf is the healthy scenario of a kind.
func healthyOf(t *testing.T, kind string) *scenario {
	t.Helper()
	s := find(t, kind, "healthy")
	if s == nil {
		t.Fatalf("%s has no %s/%s/healthy.toml", kind, scenarioFolder, kind)
	}
	return s
}

// webKinds are those that use HTTP.
func webKinds() []config.Kind {
	return slices.DeleteFunc(probe.Kinds(), func(k config.Kind) bool { return !isWeb(k) })
}

// own is a kind's healthy answer to the deciding request.
func own(t *testing.T, kind string) scenarioAnswer {
	t.Helper()
	s := healthyOf(t, kind)
	if len(s.Want.Requests) > 0 {
		_, path, _ := strings.Cut(s.Want.Requests[0], " ")
		for _, a := range s.Answers {
			if a.Path == path {
				return a
			}
		}
	}
	t.Fatalf("%s does not list its first request, or has no answer to it", s.path())
	return scenarioAnswer{}
}

// A variation changes one thing about a healthy kind. It reports whether it applies to that
// kind.
type variation func(s *scenario, k config.Kind) bool

var variations = map[string]variation{
	"slow": func(s *scenario, k config.Kind) bool {
		soon := duration(1)
		s.Provider.SlowAfter, s.Probes = &soon, 2
		s.Want = scenarioWant{State: provider.StateDegraded, Reason: provider.Slow, Hint: "slow_after"}
		return isWeb(k)
	},
	"a required model is absent": func(s *scenario, k config.Kind) bool {
		lists := s.Want.Models != nil
		detail := "missing: a-model-of-nobody"
		s.Provider.Models = []string{"a-model-of-nobody"}
		s.Want = scenarioWant{State: provider.StateDegraded, Reason: provider.ModelMissing, Detail: &detail}
		return lists
	},
	"over TLS": func(s *scenario, k config.Kind) bool {
		s.Server.TLS = "good"
		return isWeb(k) && (k.Schemes == nil || slices.Contains(k.Schemes, "https"))
	},
	"without facts": func(s *scenario, k config.Kind) bool {
		no := false
		s.Provider.Facts = &no
		s.Want = scenarioWant{State: s.Want.State, Reason: s.Want.Reason}
		return isWeb(k)
	},
	"again and again": func(s *scenario, k config.Kind) bool {
		s.Probes = 3
		s.Want.Requests = nil
		return true
	},
}

// TestScenarios_Healthy checks what must hold for every healthy kind, by its healthy.toml
// with one thing changed.
func TestScenarios_Healthy(t *testing.T) {
	t.Parallel()
	for _, k := range probe.Kinds() {
		s := find(t, k.Name, "healthy")
		if s == nil {
			continue // the coverage says whether that may be
		}
		for name, change := range variations {
			changed := *s
			if !change(&changed, k) {
				continue
			}
			t.Run(k.Name+"/"+name, func(t *testing.T) {
				p := perform(t, &changed, k)
				if name == "without facts" && !begins(s.Want.Requests, p.requests) {
					t.Errorf("asked %q, want the first of %q alone", p.requests, s.Want.Requests)
				}
				if most := changed.Probes * len(s.Want.Requests); isWeb(k) && changed.Probes > 0 && len(p.requests) > most {
					t.Errorf("asked %q in %d probes, want %d requests at most", p.requests, changed.Probes, most)
				}
				if o := &p.last; isWeb(k) && (o.Latency <= 0 || o.Took < o.Latency || o.Endpoint != "") {
					t.Errorf("latency %s of %s, found at %q", o.Latency, o.Took, o.Endpoint)
				}
			})
		}
	}
}

// begins reports whether all begins with some.
func begins(all, some []string) bool {
	return len(some) > 0 && len(some) <= len(all) && slices.Equal(all[:len(some)], some)
}

// TestScenarios_NoKey: a kind that needs a key sends nothing without one, not
// even to find out whether the port is open.
func TestScenarios_NoKey(t *testing.T) {
	t.Parallel()
	for _, k := range probe.Kinds() {
		if !k.KeyNeeded {
			continue
		}
		p := configured(t, k.Name, "http://"+unused(t), "")
		p.Key = config.Secret{}
		o := once(t, p, probe.Options{}, probe.Ask{Facts: true, DialFirst: true})
		if o.Saw != provider.NoCredentials || o.PortListening != nil || len(o.Evidence.Dial) != 0 {
			t.Errorf("%s: saw %s %q, dialled %+v", k.Name, o.Saw, o.Detail, o.Evidence.Dial)
		}
	}
}
