package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Hearsay is the witness for what users who are not administrators reported. Anybody can
// report anything, so it decides nothing: for a short time it covers a row that says that
// the provider can be used, and leaves no trace. The other witnesses' row goes on beneath
// it. A Hearsay is immutable; nil: nobody reported anything.
type Hearsay struct {
	heard provider.Hearsay // the last report or, while users are believed, the believed one
	turns                  // the last belief, unless it was refuted before, and earlier ones

	refuted time.Time // when a probe found the provider healthy; zero: none did

	over *provider.Beneath // the row without it; nil: it does not cover the row

	// toldOver is the state beneath it at the time of its event; empty if there was another
	// event since. An outage of this machine may begin meanwhile and outlast it.
	toldOver provider.State
}

// take processes a user's report. It is believed if it can be, if no belief began within the
// last minute, and if users have time left in this hour.
func (w *Hearsay) take(o *probe.Observation, by string, believable bool, p *config.Provider) *Hearsay {
	next := Hearsay{heard: provider.Hearsay{
		At: provider.Time{Time: o.Began}, By: by, Reason: o.Saw, Detail: o.Detail, RetryAt: provider.Time{Time: o.RetryAt},
	}}
	if w != nil {
		believed := w.believed(o.Began)
		if believed && (!believable || !w.outdone(o, p)) {
			return w
		}
		if believed { // for the rest of the time
			next.turns, next.toldOver = w.turns, w.toldOver
			return &next
		}
		next.turns, next.toldOver = w.turns, w.toldOver
		next.refuted = w.refuted
	}
	if turns, ok := next.begin(o.Began); ok && believable {
		next.turns, next.refuted = turns, time.Time{}
	}
	return &next
}

// outdone reports whether a report is definite, and the believed one only a doubt.
func (w *Hearsay) outdone(o *probe.Observation, p *config.Provider) bool {
	return definite(o.Saw, o.RetryAt, p) && !definite(w.heard.Reason, w.heard.RetryAt.Time, p)
}

// believed reports whether users are believed now. They are not if the clock was set back to
// before the belief.
func (w *Hearsay) believed(now time.Time) bool {
	return w != nil && w.refuted.IsZero() && w.lasts(now)
}

// ended ends a belief. Its time counts as spent in full: otherwise users could make a provider
// change twice a minute for ever, and its events would crowd out all others.
func (w *Hearsay) ended(now time.Time) *Hearsay {
	if !w.believed(now) {
		return w
	}
	next := *w
	next.refuted = now
	return &next
}

// shown is its form in the row; nil if it is out of date.
func (w *Hearsay) shown(now time.Time) *provider.Hearsay {
	if w == nil || len(w.all(now)) == 0 && now.Sub(w.heard.At.Time) > usersHour {
		return nil
	}
	h := w.heard
	h.Over = w.over
	if all := w.all(now); len(all) > 0 {
		until := all[len(all)-1].to
		h.SpentMS = (provider.HearsayPerHour - w.left(until)).Milliseconds()
		if h.Until.Time = until; !w.refuted.IsZero() && until.Equal(w.until) {
			h.Until.Time = w.refuted
		}
	}
	return &h
}

// restoredHearsay is what an earlier process was told. It is no longer believed, and counts
// as if all of its time had been the most recent.
func restoredHearsay(h *provider.Hearsay) *Hearsay {
	if h == nil {
		return nil
	}
	w := &Hearsay{heard: *h}
	if h.Over != nil {
		w.over = new(*h.Over)
		w.over.Source = provider.FromRestored
	}
	w.heard.Over, w.heard.Until, w.heard.SpentMS = nil, provider.Time{}, 0
	if to := h.Until.Time; !to.IsZero() {
		w.spent = []span{{to.Add(-min(time.Duration(h.SpentMS)*time.Millisecond, provider.HearsayPerHour)), to}}
	}
	return w
}

// moved adapts its times to a clock that was set.
func (w *Hearsay) moved(move func(time.Time) time.Time) *Hearsay {
	if w == nil {
		return nil
	}
	next := *w
	next.heard.At.Time, next.heard.RetryAt.Time = move(w.heard.At.Time), move(w.heard.RetryAt.Time)
	next.turns, next.refuted = w.turns.moved(move), move(w.refuted)
	if w.over != nil {
		next.over = new(*w.over)
		next.over.Since.Time = move(w.over.Since.Time)
	}
	return &next
}

// ofTheKey reports whether a reason is about the caller's own key, which says nothing about
// the daemon's key or anybody else's.
func ofTheKey(r provider.Reason) bool {
	return r == provider.Unauthorized || r == provider.Forbidden || r == provider.QuotaExhausted
}

// usable reports whether clients use a provider with this reason.
func usable(r provider.Reason) bool { return r.Healthy() || r.Meaning().Serves }

// ApplyHearsay processes a report from a user who is not an administrator. It does not set
// retry_at for anybody else, and does not count for a threshold.
func ApplyHearsay(r Record, o probe.Observation, by string, p *config.Provider) (Record, *provider.Event) {
	was := r.shown()
	r.Hearsay = r.Hearsay.take(&o, by, usable(was.reason) && !ofTheKey(o.Saw), p)
	return r.derived(was, p, o.Began)
}

// Believes reports whether users are believed now, and for how much longer at most.
func (b *Basis) Believes(now time.Time) (time.Duration, bool) {
	if !b.Hearsay.believed(now) {
		return 0, false
	}
	return b.Hearsay.until.Sub(now), true
}

// Refute ends a belief if a probe that began after the report found the provider healthy. Call
// it before the probe is judged.
func Refute(r *Record, o *probe.Observation) {
	if o.Saw.Healthy() {
		r.Hearsay = r.Hearsay.ended(o.Ended())
	}
}

// ApplyTime processes the passing of time or the start of this process, which end a belief.
func ApplyTime(r Record, p *config.Provider, now time.Time) (Record, *provider.Event) {
	return r.derived(r.shown(), p, now)
}

// cover puts a believed report over a row that says that the provider can be used: a definite
// one as its state, any other as a doubt.
func (r *Record) cover(p *config.Provider, now time.Time) {
	w, st := r.Hearsay, &r.Status
	if w == nil {
		st.Hearsay = nil
		return
	}
	met := &w.heard
	switch {
	case !w.believed(now) || !usable(st.Reason):
	case definite(met.Reason, met.RetryAt.Time, p) || p.Fall <= 1:
		next := *w
		next.over = &provider.Beneath{State: st.State, Reason: st.Reason, Detail: r.said.detail, Doubt: st.Doubt, Since: st.Since, Source: st.Source}
		w = &next
		st.State, st.Reason, st.Detail, st.Doubt = stateOf(met.Reason), met.Reason, met.Detail, nil
		st.Since, st.Source = provider.Time{Time: w.since}, provider.FromReport
		st.Hint = hint(st.Reason, "", "", p, st.Endpoint)
	case st.Doubt == nil:
		st.Doubt = &provider.Doubt{Saw: met.Reason, Detail: met.Detail, Count: 1, Of: p.Fall}
	}
	if st.Hearsay = w.shown(now); st.Hearsay == nil && w.toldOver == "" {
		w = nil
	}
	r.Hearsay = w
}

// beneath is the row without users' reports; nil if no report covers it.
func (r *Record) beneath() *provider.Beneath {
	if r.Hearsay == nil {
		return nil
	}
	return r.Hearsay.over
}

// toldOfItself is the state in the last event, apart from events about users' reports.
func (r *Record) toldOfItself() provider.State {
	if w := r.Hearsay; w != nil && w.toldOver != "" {
		return w.toldOver
	}
	return r.told.state
}

// noteTold notes the state beneath a user's report if the last event was about that, or none.
func (r *Record) noteTold(over provider.State) {
	w := r.Hearsay
	if w == nil {
		w = &Hearsay{}
	}
	if w.toldOver == over {
		return
	}
	next := *w
	next.toldOver = over
	r.Hearsay = &next
}

// uncover restores the row without users' reports, before something else is processed.
func (r *Record) uncover() {
	b := r.beneath()
	if b == nil {
		return
	}
	st := &r.Status
	st.State, st.Reason, st.Detail, st.Since, st.Source = b.State, b.Reason, b.Detail, b.Since, b.Source
	st.Hint = "?" // derive computes it
	next := *r.Hearsay
	next.over = nil
	r.Hearsay = &next
}

// beneathHearsay is a saved row's claim and doubt, without users' reports.
func beneathHearsay(st *provider.Status) (claim, *provider.Doubt) {
	h, d := st.Hearsay, st.Doubt
	switch {
	case h.Over != nil:
		return claim{h.Over.Reason, h.Over.Detail}, h.Over.Doubt
	case d != nil && d.Saw == h.Reason && d.Detail == h.Detail:
		st.Doubt, d = nil, nil
	}
	return claim{st.Reason, st.Detail}, d
}
