package top

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// An effect is something that the program has to do for the model.
type effect any

// The effects.
type (
	quit       struct{}
	suspend    struct{}
	redraw     struct{} // the whole screen
	ring       struct{} // the bell
	askRefresh struct{ ids []string }
	askPause   struct {
		id string
		to bool // paused
	}
	askDiagnose struct{ id string }
	askCard     struct{ id string }
)

// refreshPatience is how long the screen waits for the probes of a refresh: longer than two
// probes of a server that hangs, because one can be in progress already.
const refreshPatience = 30 * time.Second

// A refreshing is one refresh, or several that overlap.
type refreshing struct {
	began   time.Time
	asks    int               // requests without a reply so far
	pending map[string]uint64 // the generation that each row has to reach
	done    []string
	skipped []provider.Skipped
}

// refresh probes the providers that are named, or all.
func (m *model) refresh(ids []string) []effect {
	if m.refreshing == nil {
		m.refreshing = &refreshing{began: m.now(), pending: map[string]uint64{}}
	}
	m.refreshing.asks++
	m.sayProgress()
	return []effect{askRefresh{ids}}
}

// refreshBegan handles the daemon's reply to a refresh.
func (m *model) refreshBegan(w refreshBegan) []effect {
	r := m.refreshing
	if r == nil { // the daemon went away meanwhile, and the screen shows that
		return nil
	}
	r.asks--
	if w.err != nil {
		m.refreshing = nil
		m.sayError("refresh", w.err)
		return nil
	}
	ids := w.ids
	if len(ids) == 0 {
		for i := range m.rows {
			ids = append(ids, m.rows[i].ID)
		}
	}
	for _, id := range ids {
		if i := slices.IndexFunc(w.reply.Skipped, func(s provider.Skipped) bool { return s.ID == id }); i >= 0 {
			r.skipped = append(r.skipped, w.reply.Skipped[i])
			continue
		}
		r.pending[id] = w.reply.Generation
	}
	return m.progress()
}

// progress concludes a refresh that has ended.
func (m *model) progress() []effect {
	r := m.refreshing
	if r == nil {
		return nil
	}
	for id, generation := range r.pending {
		switch row := m.find(id); {
		case row == nil: // removed meanwhile
			delete(r.pending, id)
		case row.Generation >= generation:
			delete(r.pending, id)
			r.done = append(r.done, id)
		}
	}
	waited := m.now().Sub(r.began)
	switch {
	case !m.gone.IsZero():
		m.refreshing = nil
		m.sayError("refresh", m.why)
	case r.asks == 0 && len(r.pending) == 0:
		m.refreshing = nil
		m.conclude(r, waited)
	case waited >= refreshPatience:
		m.refreshing = nil
		m.say(ctl.Red, fmt.Sprintf("refresh: no result after %s from %s; see: providerctl health", seconds(waited), names(r.left())))
	default:
		m.sayProgress()
	}
	return nil
}

func (r *refreshing) left() []string { return slices.Sorted(maps.Keys(r.pending)) }

func (m *model) sayProgress() {
	r := m.refreshing
	text := "refreshing…"
	if all := len(r.pending) + len(r.done); len(r.pending) > 0 {
		text = "refreshing " + names(r.left()) + "…"
		if all > 1 {
			text = fmt.Sprintf("refreshing: %d of %d done, waiting for %s…", len(r.done), all, names(r.left()))
		}
	}
	if waited := m.now().Sub(r.began); waited >= time.Second {
		text += " " + seconds(waited)
	}
	m.say(ctl.Plain, text)
}

// conclude shows the results of a refresh: first what failed, with its hint.
func (m *model) conclude(r *refreshing, took time.Duration) {
	now := m.daemonNow()
	var bad []*row
	for _, id := range r.done {
		if row := m.find(id); row != nil && !ctl.CanUse(&row.Status, now) {
			bad = append(bad, row)
		}
	}
	var parts []string
	switch {
	case len(r.done) == 1 && len(bad) == 0:
		row := m.find(r.done[0])
		parts = append(parts, fmt.Sprintf("%s is %s, %s", row.ID, row.State, ctl.Latency(row.LatencyMS)))
	case len(r.done) > 1:
		parts = append(parts, fmt.Sprintf("refreshed %d in %s: %d can be used", len(r.done), seconds(took), len(r.done)-len(bad)))
	}
	tone := ctl.Green
	if len(bad) > 0 {
		tone = ctl.Red
		slices.SortFunc(bad, func(a, b *row) int { return strings.Compare(a.ID, b.ID) })
		parts = append(parts, m.troubleOf(&bad[0].Status))
		if more := bad[1:]; len(more) > 0 {
			ids := make([]string, len(more))
			for i, row := range more {
				ids[i] = row.ID
			}
			parts = append(parts, "also "+names(ids))
		}
	}
	for i, s := range r.skipped {
		if tone == ctl.Green {
			tone = ctl.Yellow
		}
		if i == 2 {
			parts = append(parts, strconv.Itoa(len(r.skipped)-i)+" more were not probed")
			break
		}
		parts = append(parts, s.ID+" was not probed: "+s.Message)
	}
	if len(parts) == 0 {
		parts = append(parts, "there was nothing to refresh")
	}
	m.say(tone, strings.Join(parts, "; "))
}

// troubleOf is what is wrong with a provider, and what to do about it.
func (m *model) troubleOf(s *provider.Status) string {
	text := fmt.Sprintf("%s is %s (%s)", s.ID, s.State, s.Reason)
	if advice := ctl.Advice(s, m.daemonNow()); advice != "" {
		text += ": " + advice
	}
	return text
}

func (m *model) diagnose(id string) []effect {
	if m.diagnosing != "" {
		m.say(ctl.Yellow, m.diagnosing+" is being diagnosed; one at a time")
		return nil
	}
	m.diagnosing = id
	m.say(ctl.Plain, "diagnosing "+id+"…")
	return append(m.openCardOf(id), askDiagnose{id})
}

func (m *model) diagnoseEnded(w diagnoseEnded) {
	m.diagnosing = ""
	if w.reply != nil && w.id == m.card.id {
		m.card.parts.Diagnostics = &w.reply.Diagnostics
		m.card.diagnosed = m.now()
	}
	switch {
	case w.err != nil:
		m.sayError("diagnose "+w.id, w.err)
	case w.reply.Skipped != nil:
		m.say(ctl.Yellow, w.id+" was not probed: "+w.reply.Skipped.Message+"; this is the last probe")
	default:
		v := w.reply.Verdict
		tone := ctl.Yellow
		if v.State == provider.StateRunning {
			tone = ctl.Green
		}
		m.say(tone, fmt.Sprintf("diagnosed %s in %s: %s (%s)", w.id, ctl.Latency(w.reply.TookMS), v.State, v.Reason))
	}
}

// pause pauses a provider, or resumes it.
func (m *model) pause(id string) []effect {
	row := m.find(id)
	if row == nil {
		return nil
	}
	return []effect{askPause{id, !row.Paused}}
}

func (m *model) pauseEnded(w pauseEnded) {
	switch {
	case w.err != nil && w.to:
		m.sayError("pause "+w.id, w.err)
	case w.err != nil:
		m.sayError("resume "+w.id, w.err)
	case w.to:
		m.say(ctl.Green, w.id+" is paused; it keeps its last state until p is pressed again")
	default:
		m.say(ctl.Green, w.id+" is probed again")
	}
	if row := m.find(w.id); w.row != nil && row != nil {
		row.Status, row.came = *w.row, m.now()
	}
}

// wait makes the bell ring when a provider can be used, or cancels that.
func (m *model) wait(id string) {
	m.board = nil
	row := m.find(id)
	switch {
	case row == nil:
	case m.waits[id]:
		delete(m.waits, id)
		m.say(ctl.Plain, "the bell will not ring for "+id)
	case m.gone.IsZero() && ctl.CanUse(&row.Status, m.daemonNow()):
		m.say(ctl.Green, id+" can be used now")
	default:
		m.waits[id] = true
		text, tone := "the bell will ring when "+id+" can be used", ctl.Plain
		if row.Reason.NeedsPerson() {
			text, tone = text+"; until then, "+m.troubleOf(&row.Status), ctl.Yellow
		}
		m.say(tone, text)
	}
}

// awaited rings the bell if the provider of a row is waited for and can be used.
func (m *model) awaited(s *provider.Status) []effect {
	if !m.waits[s.ID] || !ctl.CanUse(s, m.daemonNow()) {
		return nil
	}
	delete(m.waits, s.ID)
	m.say(ctl.Green, s.ID+" can be used now")
	return []effect{ring{}}
}

// errorText is what is wrong, and what to do about it.
func errorText(err error) string {
	var e *provider.Error
	if !errors.As(err, &e) || e.Hint == "" {
		return err.Error()
	}
	return e.Message + "; " + e.Hint
}

// names lists a few IDs, and counts the rest.
func names(ids []string) string {
	const most = 3
	if len(ids) <= most+1 {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:most], ", ") + " and " + strconv.Itoa(len(ids)-most) + " more"
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}
