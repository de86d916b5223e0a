package judge

import (
	"slices"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// A Hearsay is what users who are no administrators met, as a witness. Anybody can be
// one, and say anything. So it decides nothing: for a short time it lies over a row that
// says that the provider can be used, and leaves no trace there. Whatever the other
// witnesses say goes on beneath. Nothing writes to a Hearsay; nil: nobody said anything.
type Hearsay struct {
	heard provider.Hearsay // what was said last or, as long as it is believed, what is believed
	since time.Time        // users are, or were last, believed from then
	until time.Time        // to then, unless it was refuted before
	spent []span           // when they were believed before that, in the last hour

	refuted time.Time // when a probe found the provider well after all; zero: none did

	over *provider.Beneath // what the row says without it; nil: it does not lie over the row

	// toldOver is what the state was beneath it when it was told; empty when something else
	// was told since. An outage of this machine may begin meanwhile and outlast it.
	toldOver provider.State
}

// A span is a time in which users were believed.
type span struct{ from, to time.Time }

// usersHour is the time in which users are believed for no longer than
// [provider.HearsayPerHour].
const usersHour = time.Hour

// take takes in what a user met. It is believed if it can be, and if users were not
// believed within the last minute or for their time in the hour.
func (w *Hearsay) take(o *probe.Observation, by string, believable bool, p *config.Provider) *Hearsay {
	next := Hearsay{heard: provider.Hearsay{
		At: provider.Time{Time: o.Began}, By: by, Reason: o.Saw, Detail: o.Detail, RetryAt: provider.Time{Time: o.RetryAt},
	}}
	if w != nil {
		believed := w.believed(o.Began)
		if believed && (!believable || !w.outdone(o, p)) {
			return w
		}
		if believed { // in what is left of the time
			next.since, next.until, next.spent, next.toldOver = w.since, w.until, w.spent, w.toldOver
			return &next
		}
		next.since, next.until, next.spent, next.toldOver = w.since, w.until, w.spent, w.toldOver
		next.refuted = w.refuted
		believable = believable && !o.Began.Before(w.since.Add(provider.LongestHearsay))
	}
	if believable && next.left(o.Began) >= provider.LongestHearsay { // or else the hour would be spent in seconds
		next.spent = next.all(o.Began)
		next.since, next.until = o.Began, o.Began.Add(provider.LongestHearsay)
		next.refuted = time.Time{}
	}
	return &next
}

// outdone reports whether what somebody met is certain, and what is believed a doubt.
func (w *Hearsay) outdone(o *probe.Observation, p *config.Provider) bool {
	return definite(o.Saw, o.RetryAt, p) && !definite(w.heard.Reason, w.heard.RetryAt.Time, p)
}

// believed reports whether it lies over the row now. It does not where the clock stands
// before it.
func (w *Hearsay) believed(now time.Time) bool {
	return w != nil && w.refuted.IsZero() && now.Before(w.until) && !now.Before(w.since)
}

// ended takes in that it is not believed any more. Its time counts as spent all the same:
// or else users could make a provider change twice a minute for ever, and its events take
// the place of everybody's.
func (w *Hearsay) ended(now time.Time) *Hearsay {
	if !w.believed(now) {
		return w
	}
	next := *w
	next.refuted = now
	return &next
}

// left is for how long users can be believed yet, from now on without a break.
func (w *Hearsay) left(now time.Time) time.Duration {
	left := provider.HearsayPerHour
	for _, s := range w.all(now) {
		left -= s.to.Sub(s.from)
	}
	return left
}

// all are the times in which users were believed, cut to the last hour.
func (w *Hearsay) all(now time.Time) []span {
	var all []span
	for _, s := range append(slices.Clip(w.spent), span{w.since, w.until}) {
		if begin := now.Add(-usersHour); s.from.Before(begin) {
			s.from = begin
		}
		if s.to.After(s.from) {
			all = append(all, s)
		}
	}
	return all
}

// shown is it as the row shows it; nil when that is of no interest any more.
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

// restoredHearsay is what a process before this one heard. It is believed no more, and
// counts as if all of its time had been the last.
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

// moved is it by a clock that was set.
func (w *Hearsay) moved(move func(time.Time) time.Time) *Hearsay {
	if w == nil {
		return nil
	}
	next := *w
	next.heard.At.Time, next.heard.RetryAt.Time = move(w.heard.At.Time), move(w.heard.RetryAt.Time)
	next.since, next.until, next.refuted, next.spent = move(w.since), move(w.until), move(w.refuted), slices.Clone(w.spent)
	if w.over != nil {
		next.over = new(*w.over)
		next.over.Since.Time = move(w.over.Since.Time)
	}
	for i, s := range next.spent {
		next.spent[i] = span{move(s.from), move(s.to)}
	}
	return &next
}

// ofTheKey reports whether what a caller met is about the key that it sent. A user's own
// key tells nothing of the daemon's, nor of anybody else's.
func ofTheKey(r provider.Reason) bool {
	return r == provider.Unauthorized || r == provider.Forbidden || r == provider.QuotaExhausted
}

// usable reports whether who is told a reason uses the provider.
func usable(r provider.Reason) bool { return r.Healthy() || r.Meaning().Serves }

// ApplyHearsay takes in what a user met who is no administrator. It asks nobody to leave
// the provider alone, and counts for none of the thresholds.
func ApplyHearsay(r Record, o probe.Observation, by string, p *config.Provider) (Record, *provider.Event) {
	was := r.shown()
	r.Hearsay = r.Hearsay.take(&o, by, usable(was.reason) && !ofTheKey(o.Saw), p)
	return r.derived(was, p, o.Began)
}

// Believes reports whether users are believed now, and for how long yet at most.
func (b *Basis) Believes(now time.Time) (time.Duration, bool) {
	if !b.Hearsay.believed(now) {
		return 0, false
	}
	return b.Hearsay.until.Sub(now), true
}

// Refute notes, before a probe is judged that began after what users met, whether it
// found the provider well. Then they are believed no more.
func Refute(r *Record, o *probe.Observation) {
	if o.Saw.Healthy() {
		r.Hearsay = r.Hearsay.ended(o.Ended())
	}
}

// ApplyTime takes in that time has passed, or this process begun, so that users are
// believed no more.
func ApplyTime(r Record, p *config.Provider, now time.Time) (Record, *provider.Event) {
	return r.derived(r.shown(), p, now)
}

// cover lays what users met over a row that says that the provider can be used: what is
// definite as its state, and anything else as a doubt.
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

// beneath is what the row says without what users met; nil where that does not lie over
// it.
func (r *Record) beneath() *provider.Beneath {
	if r.Hearsay == nil {
		return nil
	}
	return r.Hearsay.over
}

// toldOfItself is the state that was last told of the provider, and not of what users met.
func (r *Record) toldOfItself() provider.State {
	if w := r.Hearsay; w != nil && w.toldOver != "" {
		return w.toldOver
	}
	return r.told.state
}

// noteTold notes the state beneath what users met, where that was told last, or none.
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

// uncover makes the row say again what holds without what users met, before something
// else is taken in.
func (r *Record) uncover() {
	b := r.beneath()
	if b == nil {
		return
	}
	st := &r.Status
	st.State, st.Reason, st.Detail, st.Since, st.Source = b.State, b.Reason, b.Detail, b.Since, b.Source
	st.Hint = "?" // derive finds it anew
	next := *r.Hearsay
	next.over = nil
	r.Hearsay = &next
}

// beneathHearsay is what a row that was saved said, and its doubt, without what users met.
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
