package judge

import (
	"net/url"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// Initial is the record before the first probe: what the database knew of the same provider
// at the same endpoint, or nothing. If the row shows what users met, they are no longer
// believed, and [ApplyTime] makes the event.
func Initial(p *config.Provider, restored *provider.Status) Record {
	st := provider.Status{
		State: provider.StateUnknown, Reason: provider.NotChecked,
		Endpoint: p.Endpoint, Source: provider.FromProbe,
	}
	if restored != nil && restored.Kind == p.Kind && SameEndpoint(restored.Endpoint, p) {
		st = *restored
		st.Source = provider.FromRestored
		st.NextCheckAt, st.By = provider.Time{}, nil
	}
	if d := provider.ParseDoubt(st.Detail); d != nil { // as it was written before it had a field of its own
		st.Doubt, st.Detail = d, ""
	}
	said, doubt := claim{st.Reason, st.Detail}, st.Doubt
	if st.Hearsay != nil {
		said, doubt = beneathHearsay(&st)
	}
	if p.Feed.URL == "" {
		st.Incident = nil // nothing would report its end
	}
	st.ID, st.Kind, st.Type, st.Unasked = p.ID, p.Kind, p.Type, p.Unasked()
	st.TTLMS = p.TTL().Milliseconds()
	st.Hint = hint(st.Reason, "", "", p, st.Endpoint)
	r := Record{Status: st, Basis: Basis{said: said, told: told{st.State, st.Reason}}}
	r.Run.Doubt, r.Vendor.incident, r.Pause.Paused = doubt, st.Incident, st.Paused
	if r.Report.met = st.Reported; !st.RetryAt.Equal(r.Report.retryAt()) {
		r.Probes.retryAt = st.RetryAt.Time
	}
	r.Hearsay = restoredHearsay(st.Hearsay)
	r.Limits, r.Status.Limits = restoredLimits(&st), nil // until the first look at the time
	if st.Reason == provider.Offline {
		r.Machine.claim = r.said
	}
	return r
}

// Moved is the record of a provider that is another server from now on, with its settings.
// It keeps what a person said and, if the vendor is the same, what the vendor reports.
func Moved(r Record, to *config.Provider, sameVendor bool, now time.Time) (Record, *provider.Event) {
	last, paused, incident := r.told, r.Pause.Paused, r.Vendor.incident
	r = Initial(to, nil)
	if sameVendor {
		r, _ = ApplyVendorStatus(r, incident, to, now)
	}
	if paused {
		r, _ = ApplyPause(r, true, to, now)
	}
	if r.told == last {
		return r, nil
	}
	return r, &provider.Event{
		Time: provider.Time{Time: now}, ID: r.Status.ID, From: last.state, To: r.told.state,
		Reason: r.told.reason, Detail: "the configuration names another server",
	}
}

// SameEndpoint reports whether a row's endpoint is the configured one. If that is localhost,
// or 127.0.0.1 by default, the row has the address that answered.
func SameEndpoint(shown string, p *config.Provider) bool {
	if shown == p.Endpoint {
		return true
	}
	a, errA := url.Parse(shown)
	b, errB := url.Parse(p.Endpoint)
	return errA == nil && errB == nil && (b.Hostname() == "localhost" || b.Hostname() == "127.0.0.1" && !p.BaseURLGiven) && config.IsLoopback(a.Hostname()) &&
		a.Scheme == b.Scheme && a.Port() == b.Port() && a.Path == b.Path
}
