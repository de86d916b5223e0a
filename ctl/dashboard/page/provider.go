package page

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A card is the view of one provider.
type card struct {
	*frame
	row
	Status   *provider.Status
	Facts    [][2]string
	Steps    []layer
	Verdict  [][2]string
	Feed     [][2]string
	Probed   provider.Time
	Took     string
	Summary  string // of the history
	Hours    *strip
	Days     *strip
	Trend    string
	Numbers  [][2]string // of the last 90 days
	Changes  []change
	Env      []string
	Models   []model
	NoModels string
	Markdown string
	Missing  []string // what could not be read, and why
	Unit     string   // that can be started and stopped here; empty: none
	Action   *action  // the last one, or in progress
}

// A layer is one step of the last probe, with its bar: where it begins and how long it is, of
// a thousand.
type layer struct {
	ctl.Step
	Took     string
	From, To int
}

func (s *site) provider(r *http.Request, f *frame) (any, error) {
	id := r.PathValue("id")
	at := slices.IndexFunc(f.Statuses, func(row provider.Status) bool { return row.ID == id })
	if at < 0 {
		return nil, provider.Errorf(provider.UnknownProvider, "go back to the overview", "no such provider: %q", id)
	}
	c := &card{frame: f, Status: &f.Statuses[at]}
	c.row = rowOf(c.Status, s.past.lastDay(r.Context())[id], f.Now)
	c.Story, c.Hint = ctl.Story(c.Status.Doubt, c.Status.Detail), ctl.HintFor(c.Status, f.Now) // whole
	c.Facts = without(ctl.Facts(c.Status, f.Now), c.Story, c.Hint)
	if c.Upkeep = f.Maintained[id]; !c.Upkeep.IsZero() {
		c.Facts = slices.Insert(c.Facts, min(1, len(c.Facts)), [2]string{"Maintenance", "until " + ctl.Clock(c.Upkeep, f.Now) + "; nobody is told of trouble"})
	}
	if text := ctl.SlotsText(id, f.Slots); text != "" {
		c.Facts = append(c.Facts, [2]string{"Slots", text})
	}
	c.Story = unsaid(c.Story, c.Hint)
	c.Endpoint = c.Status.Endpoint
	s.addAction(c)
	c.Facts = slices.DeleteFunc(c.Facts, func(fact [2]string) bool { return fact[0] == "Checked" }) // the last probe has a part of its own
	if c.Status.Client != nil {
		c.Env = ctl.Environment(c.Status)
	}
	s.addProbe(r, c)
	s.addHistory(r, c)
	s.addModels(r, c)
	return c, nil
}

// without leaves out a text that is shown already.
func without(facts [][2]string, said ...string) [][2]string {
	return slices.DeleteFunc(facts, func(fact [2]string) bool { return slices.Contains(said, fact[1]) })
}

// lacks notes a part that could not be read. The view is shown without it.
func (c *card) lacks(what string, err error) {
	c.Missing = append(c.Missing, what+": "+messageOf(err))
}

func (s *site) addProbe(r *http.Request, c *card) {
	d, err := s.Client.Diagnostics(r.Context(), c.ID)
	if err != nil {
		c.lacks("the last probe", err)
		return
	}
	c.Probed, c.Took = d.BeganAt, ctl.Latency(d.TookMS)
	c.Verdict, c.Feed = without(ctl.VerdictFacts(&d.Verdict, c.Now), c.Story, c.Hint), ctl.FeedFacts(d.Feed, c.Now)
	c.Steps = waterfall(ctl.Steps(d))
	version := "unknown"
	if info, err := s.Client.Daemon(r.Context()); err == nil {
		version = info.Version
	}
	c.Markdown = ctl.Markdown(d, c.Now, version, "providerctl dashboard")
}

// waterfall puts the bars of steps one after the other, to one scale. A step without a duration
// has no bar, and a short one has a bar that can be seen.
func waterfall(steps []ctl.Step) []layer {
	const whole, least = 1000, 6
	total := 0.0
	for _, step := range steps {
		total += max(0, step.TookMS)
	}
	layers, begin := make([]layer, len(steps)), 0.0
	for i, step := range steps {
		layers[i] = layer{Step: step, Took: ctl.Latency(step.TookMS)}
		if total > 0 && step.TookMS > 0 {
			layers[i].From = min(int(whole*begin/total), whole-least)
			layers[i].To = max(int(whole*(begin+step.TookMS)/total), layers[i].From+least)
			begin += step.TookMS
		}
	}
	return layers
}

// Wide is the length of the bar.
func (l layer) Wide() int { return l.To - l.From }

// mostChanges is how many of its last changes a provider's view shows.
const mostChanges = 20

func (s *site) addHistory(r *http.Request, c *card) {
	h, err := ctl.CardHistory(r.Context(), s.Client, c.ID)
	if err != nil {
		c.lacks("the history", err)
	} else {
		c.Summary = ctl.Uptime(h)
		last := h.Transitions[max(0, len(h.Transitions)-mostChanges):]
		for i := range slices.Backward(last) {
			c.Changes = append(c.Changes, changeOf(&last[i]))
		}
	}
	if day := s.past.of(r.Context(), c.ID, "24h", "1h"); day != nil {
		c.Hours, c.Trend = stripOf(day.Buckets, c.Now, time.Hour, 24), sparkOf(latencies(day.Buckets))
		if day.UptimeRatio != nil {
			c.Uptime = percent(*day.UptimeRatio)
		}
	}
	if long := s.past.of(r.Context(), c.ID, "90d", "1d"); long != nil {
		c.Days, c.Numbers = stripOf(long.Buckets, c.Now, 24*time.Hour, 90), long.numbers()
	}
}

// numbers are the figures of a season, as names and values. What is not known is left out.
func (s *season) numbers() (all [][2]string) {
	for _, share := range []struct {
		name  string
		ratio *float64
	}{{"up", s.UptimeRatio}, {"usable", s.UsableRatio}} {
		if share.ratio != nil {
			all = append(all, [2]string{share.name, percent(*share.ratio)})
		}
	}
	for _, q := range []struct {
		name string
		ms   float64
	}{{"p50", s.Probed.P50}, {"p95", s.Probed.P95}, {"p99", s.Probed.P99}} {
		if q.ms > 0 {
			all = append(all, [2]string{q.name, ctl.Latency(q.ms)})
		}
	}
	if o := s.Outages; o != nil {
		all = append(all, [2]string{"outages", strconv.Itoa(o.Count)})
		for _, d := range []struct {
			name    string
			seconds float64
		}{{"longest", o.Longest}, {"between", o.Between}} {
			if d.seconds > 0 {
				all = append(all, [2]string{d.name, ctl.Span(time.Duration(d.seconds * float64(time.Second)))})
			}
		}
	}
	return all
}

func (s *site) addModels(r *http.Request, c *card) {
	reply, err := s.Client.Models(r.Context(), c.ID)
	if err != nil {
		var e *provider.Error
		if !errors.As(err, &e) || e.Code != provider.UnknownProvider {
			c.lacks("the models", err)
		}
		return
	}
	c.NoModels = ctl.ModelsUnknown(c.Status, reply)
	for i := range reply.Models {
		c.Models = append(c.Models, modelOf(&reply.Models[i]))
	}
}
