package probe_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

// wrong lists how a play differs from what is wanted, and from what must hold for every
// play.
func (p *play) wrong() []string {
	if p.err != nil {
		return []string{p.err.Error()}
	}
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	p.row(add)
	p.lists(add)
	p.promises(add)
	p.liveness(add)
	return all
}

type report func(format string, args ...any)

func (p *play) row(add report) {
	st, want := &p.record.Status, &p.scenario.Want
	if st.State != want.State || st.Reason != want.Reason {
		add("state: %s %s, want %s %s", st.State, st.Reason, want.State, want.Reason)
	}
	if want.Detail != nil && (!strings.Contains(st.Detail, *want.Detail) || *want.Detail == "" && st.Detail != "") {
		add("detail: %q, want %q in it", st.Detail, *want.Detail)
	}
	if !strings.Contains(st.Hint, want.Hint) {
		add("hint: %q, want %q in it", st.Hint, want.Hint)
	}
	if want.Version != "" && st.Version != want.Version {
		add("version: %q, want %q", st.Version, want.Version)
	}
	var retry time.Duration
	if !st.RetryAt.IsZero() {
		retry = st.RetryAt.Sub(scenarioNow).Round(time.Millisecond)
	}
	if retry != time.Duration(want.RetryIn) {
		add("retry in %s, want %s", retry, time.Duration(want.RetryIn))
	}
	if want.Requests != nil && !slices.Equal(p.requests, want.Requests) {
		add("requests (-want +got):\n%s", cmp.Diff(want.Requests, p.requests))
	}
}

func (p *play) lists(add report) {
	want := &p.scenario.Want
	models := map[string]provider.Model{}
	var ids []string
	for _, m := range p.record.Models {
		ids = append(ids, m.ID)
		models[m.ID] = m
	}
	list(add, "models", want.Models, ids, want.ModelsUnknown, p.record.Models != nil)
	list(add, "loaded", want.Loaded, p.record.Status.LoadedModels, want.LoadedUnknown, p.record.Status.LoadedModels != nil)
	if busy, err := json.Marshal(p.record.Status.Busy); err != nil || want.Busy != "" && string(busy) != want.Busy {
		add("busy: %s, want %s", busy, want.Busy)
	}
	for id, want := range want.Model {
		m, ok := models[id]
		if !ok {
			add("model %q is not listed", id)
			continue
		}
		field(add, id, "size", want.Size, &m.Size)
		field(add, id, "family", want.Family, &m.Family)
		field(add, id, "quantization", want.Quantization, &m.Quantization)
		field(add, id, "context_length", want.ContextLength, &m.ContextLength)
		field(add, id, "loaded", want.Loaded, m.Loaded)
	}
}

func list(add report, what string, want, got []string, unknown, known bool) {
	switch {
	case unknown && known:
		add("%s: %q, want it to be unknown", what, got)
	case want != nil && !known:
		add("%s: unknown, want %q", what, want)
	case want != nil && !slices.Equal(want, got):
		add("%s: %q, want %q", what, got, want)
	}
}

func field[T comparable](add report, id, what string, want, got *T) {
	switch {
	case want == nil:
	case got == nil:
		add("model %q: %s is unknown, want %v", id, what, *want)
	case *want != *got:
		add("model %q: %s is %v, want %v", id, what, *got, *want)
	}
}

// promises are what must hold whatever a server sends.
func (p *play) promises(add report) {
	for _, text := range []string{p.last.Detail, p.record.Status.Detail, p.record.Status.LastError} {
		if !printable(text) || len(text) > 300 {
			add("not one printable line, capped: %q", text)
		}
	}
	if len(p.last.Detail) > 200 {
		add("a detail of %d bytes", len(p.last.Detail))
	}
	evidence, err := json.Marshal(p.last.Evidence)
	if err != nil || len(evidence) > 16<<10 {
		add("evidence of %d bytes: %v", len(evidence), err)
	}
	row, err := json.Marshal(p.record)
	if key := p.provider.Key.Reveal(); err != nil || key != "" && strings.Contains(string(row)+string(evidence), key) {
		add("the key is shown: %v", err)
	}
	for _, request := range p.requests {
		if !strings.HasPrefix(request, "GET ") && !slices.ContainsFunc(p.scenario.Answers, func(a scenarioAnswer) bool {
			return a.Method+" "+a.Path == request
		}) {
			add("%s was sent, which the scenario does not expect", request)
		}
	}
}

// liveness: an accepted connection and an understood answer are distinguished, for a kind
// that uses HTTP.
func (p *play) liveness(add report) {
	if !isWeb(p.kind) {
		return
	}
	listening, responding := "yes", "yes"
	switch saw := p.last.Saw; {
	case saw == provider.NoCredentials:
		listening, responding = "untried", "untried"
		if len(p.last.Evidence.Dial) > 0 || len(p.requests) > 0 {
			add("something was sent without a key: %q, %v", p.requests, p.last.Evidence.Dial)
		}
	case saw == provider.ConnectionRefused:
		listening, responding = "no", "no"
	case saw == provider.WrongService, saw == provider.BadResponse, saw == provider.TLSFailure, saw == provider.Intermediary, p.scenario.Server.Connect != "":
		responding = "no"
	case saw == provider.Hung, saw == provider.ConnectionReset:
		responding = truth(p.last.APIResponding) // it may have begun to answer
	}
	if got := truth(p.last.PortListening); got != listening {
		add("port listening: %s, want %s", got, listening)
	}
	if got := truth(p.last.APIResponding); got != responding {
		add("api responding: %s, want %s", got, responding)
	}
}
