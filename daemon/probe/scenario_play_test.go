package probe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/judge"
	"github.com/providerd/providerd/daemon/probe"
)

// scenarioNow is the clock's time in every scenario.
var scenarioNow = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// A play is a scenario played for one of its kinds.
type play struct {
	scenario *scenario
	kind     config.Kind
	network  *network // nil: that of this machine
	provider config.Provider

	err      error // it could not be played
	last     probe.Observation
	record   judge.Record
	requests []string
}

// start plays a scenario.
func start(s *scenario, k config.Kind) *play {
	p := &play{scenario: s, kind: k}
	p.err = p.run()
	return p
}

// startInBubble plays a scenario that is about time.
func startInBubble(t *testing.T, s *scenario, k config.Kind) *play {
	p := &play{scenario: s, kind: k}
	synctest.Test(t, func(t *testing.T) {
		p.network = newNetwork(t, false)
		p.err = p.run()
	})
	return p
}

func (p *play) run() error {
	theatre, err := openOver(p.scenario, p.network)
	if err != nil {
		return err
	}
	defer theatre.close()
	p.configure(theatre)
	if p.kind.Check != nil {
		if err := p.kind.Check(&p.provider); err != nil {
			return err
		}
	}
	var ticks atomic.Int64 // whatever takes time takes some
	every := time.Duration(p.scenario.Every).Microseconds()
	o := probe.Options{
		RootCAs: theatre.roots,
		Now:     func() time.Time { return scenarioNow.Add(time.Duration(ticks.Add(1)) * time.Microsecond) },
		Proxy:   func(*http.Request) (*url.URL, error) { return nil, nil },
	}
	if p.network != nil {
		o.Dial = p.network.dial
	}
	pr, err := probe.New(&p.provider, o)
	if err != nil {
		return err
	}
	defer pr.Close()
	p.record = judge.Initial(&p.provider, nil)
	ask := probe.Ask{Facts: p.scenario.Provider.Facts == nil || *p.scenario.Provider.Facts}
	for i := range max(p.scenario.Probes, 1) {
		if i > 0 {
			ticks.Add(every)
		}
		p.last = pr.Probe(theatre.context, ask)
		if p.last.Saw == "" {
			return fmt.Errorf("the probe was aborted: %s", p.last.Detail)
		}
		judge.Judge(&p.record, &p.last, &p.provider, judge.MachineFine)
	}
	p.requests = theatre.requests()
	return nil
}

// configure completes the provider as the configuration would.
func (p *play) configure(t *theatre) {
	set := &p.scenario.Provider
	scheme := "http"
	switch {
	case !isWeb(p.kind):
		scheme = p.kind.Schemes[0]
	case t.secure:
		scheme = "https"
	}
	key := ""
	if p.kind.KeyNeeded {
		key = "test-key-of-nobody"
	}
	if set.Key != nil {
		key = *set.Key
	}
	base := scheme + "://" + t.address + p.basePath()
	p.provider = config.Provider{
		ID: p.kind.Name, Kind: p.kind.Name, Type: p.kind.Type,
		BaseURL: base, BaseURLGiven: true, Endpoint: base, Key: config.NewSecret(key), Models: set.Models, Hints: p.kind.Hints,
		Interval: 10 * time.Second, Timeout: patient, SlowAfter: patient, Rise: 1, Fall: 2,
		Expect: config.Expect{
			Status: set.ExpectStatus, Body: set.ExpectBody, JSON: set.ExpectJSON,
			Days: set.ExpectDays, Answer: set.ExpectAnswer,
		},
	}
	if p.kind.KeyNeeded && key == "" {
		p.provider.KeyMissing = p.kind.KeyEnv[0]
	}
	if set.Timeout != nil {
		p.provider.Timeout = time.Duration(*set.Timeout)
	}
	if set.SlowAfter != nil {
		p.provider.SlowAfter = time.Duration(*set.SlowAfter)
	}
}

// basePath is the scenario's own, or that of the kind's address; rules use that of the
// kind's healthy scenario.
func (p *play) basePath() string {
	set := p.scenario.Provider.BasePath
	if all, err := loadScenarios(); err == nil && set == nil && p.scenario.folder == general {
		if healthy := among(all, p.kind.Name, "healthy"); healthy != nil {
			set = healthy.Provider.BasePath
		}
	}
	if set != nil {
		return *set
	}
	u, err := url.Parse(p.kind.BaseURL)
	if err != nil {
		return ""
	}
	return u.Path
}

// String is the wanted row, the actual row, and why.
func (p *play) String() string {
	show := func(v any) string {
		b, err := json.MarshalIndent(v, "  ", "  ")
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	want := p.scenario.Want
	return fmt.Sprintf("want  %s %s\ngot   %s %s: %s\nasked %q\nrow %s\nmodels %s\nevidence %s",
		want.State, want.Reason, p.record.Status.State, p.record.Status.Reason, p.record.Status.Detail,
		p.requests, show(p.record.Status), show(p.record.Models), show(p.last.Evidence))
}
