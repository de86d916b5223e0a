package judge

import (
	"time"

	"github.com/providerd/providerd/store/provider"
)

// told is what the last event said of a provider.
type told struct {
	state  provider.State
	reason provider.Reason
}

// tell makes the event of the difference between the last event and what holds now. That
// this machine cannot tell makes no event: what was told before stays, so that an outage of
// this machine does not become one of the provider.
func (r *Record) tell(flapping bool, now time.Time) *provider.Event {
	st := &r.Status
	if st.Reason == provider.Offline {
		return nil
	}
	last := r.told
	if b := r.beneath(); b != nil {
		r.noteTold(b.State)
	} else {
		r.noteTold("")
	}
	if r.told = (told{st.State, st.Reason}); r.told == last {
		return nil
	}
	event := &provider.Event{
		Time: provider.Time{Time: now}, ID: st.ID, From: last.state, To: st.State,
		Reason: st.Reason, Detail: r.said.detail, Doubt: st.Doubt, LatencyMS: st.LatencyMS,
	}
	if flapping {
		event.Detail = st.Detail
	}
	if r.beneath() != nil {
		event.Hearsay, event.Detail, event.LatencyMS = true, st.Detail, 0 // of no answer that we had
	}
	return event
}

// End is the last event of a provider, after which nothing is known of it; nil if it had no
// event before.
func End(r Record, why string, now time.Time) *provider.Event {
	if r.told == (told{provider.StateUnknown, provider.NotChecked}) {
		return nil
	}
	return &provider.Event{
		Time: provider.Time{Time: now}, ID: r.Status.ID, From: r.told.state, To: provider.StateUnknown,
		Reason: provider.NotChecked, Detail: why,
	}
}

// Remind takes the last event of a provider whose row was restored and says offline. If
// that is what users met, the state of the provider itself is the one before.
func Remind(r Record, last *provider.Event) Record {
	r.told = told{last.To, last.Reason}
	if last.Hearsay {
		r.noteTold(last.From)
	}
	return r
}
