package probe_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

// TestScenarios plays every file against a real server, starting from "not checked yet".
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios(t) {
		kinds := s.casts(t)
		for _, k := range kinds {
			name := s.folder + "/" + s.name
			if len(kinds) > 1 || s.folder == general {
				name += "/" + k.Name
			}
			t.Run(name, func(t *testing.T) {
				p := perform(t, s, k)
				if s.folder == general {
					p.spraysNot(t)
				}
			})
		}
	}
}

// spraysNot: whatever comes back, a probe requests only what some scenario of the kind
// lists, and the targets of redirects.
func (p *play) spraysNot(t *testing.T) {
	t.Helper()
	known := map[string]bool{}
	for _, s := range scenarios(t) {
		if s.folder == p.kind.Name {
			for _, request := range s.Want.Requests {
				known[request] = true
			}
		}
	}
	for _, request := range p.scenario.Want.Requests { // a base_url that is wrong makes them other ones
		known[request] = true
	}
	for _, a := range p.scenario.Answers {
		known["GET "+a.Headers["Location"]] = true
	}
	below := ""
	if base := p.scenario.Provider.BasePath; base != nil {
		below = *base
	}
	for _, request := range p.requests {
		if !known[request] && !known[strings.Replace(request, " "+below, " ", 1)] {
			t.Errorf("%s, %s: %q was requested, which no scenario of the kind lists", p.scenario.path(), p.kind.Name, request)
		}
	}
}

// perform plays a scenario, in parallel with others, and reports what is wrong.
func perform(t *testing.T, s *scenario, k config.Kind) *play {
	t.Helper()
	t.Parallel()
	var p *play
	if s.Provider.Timeout != nil {
		p = startInBubble(t, s, k)
	} else {
		p = start(s, k)
	}
	if wrong := p.wrong(); len(wrong) > 0 {
		t.Errorf("%s, %s: %s\n%s", s.path(), k.Name, strings.Join(wrong, "\n  "), p)
	}
	return p
}

func (s *scenario) path() string {
	return fmt.Sprintf("%s/%s/%s.toml", scenarioFolder, s.folder, s.name)
}

// casts are the kinds that a scenario is played for: those that it names. For a rule, kinds
// with a file of the same name are left out.
func (s *scenario) casts(t *testing.T) []config.Kind {
	t.Helper()
	kinds, err := s.kinds()
	if err != nil {
		t.Fatalf("%s: %v", s.path(), err)
	}
	if s.folder != general {
		return kinds
	}
	return slices.DeleteFunc(kinds, func(k config.Kind) bool {
		return find(t, k.Name, s.name) != nil
	})
}

// scenarios are those of all files; a file that cannot be read fails the test.
func scenarios(t *testing.T) []*scenario {
	t.Helper()
	all, err := loadScenarios()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// find returns the scenario of a folder and a name, or nil.
func find(t *testing.T, folder, name string) *scenario {
	t.Helper()
	return among(scenarios(t), folder, name)
}

func among(all []*scenario, folder, name string) *scenario {
	if i := slices.IndexFunc(all, func(s *scenario) bool { return s.folder == folder && s.name == name }); i >= 0 {
		return all[i]
	}
	return nil
}
