//go:build linux

package main

import (
	"fmt"
	"os"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// maxWait is the longest that a provider may stay unprobed after a clock was corrected.
const maxWait = 25 * time.Hour

// clock starts a daemon on what another saved while the clock was years ahead and one of the
// providers had asked for an hour without requests.
func clock(b *bench, t *try) error {
	server := steady()
	defer server.Close()
	const providers = 6
	d, err := b.newDaemon(t.dir, watching(providers, server.URL))
	if err != nil {
		return err
	}
	defer d.kill()
	if err := os.MkdirAll(d.state, 0o700); err != nil {
		return err
	}
	ahead := time.Duration(1+b.random.Int64N(10*365)) * 24 * time.Hour
	if err := saveAhead(d.database(), server.URL, providers, ahead); err != nil {
		return err
	}
	if err := d.start(b); err != nil {
		return err
	}
	var reply provider.StatusReply
	asked := func() bool { // all except the one that asked to wait
		if _, err := d.get("/api/providers/status", &reply); err != nil {
			return false
		}
		n := 0
		for _, row := range reply.Providers {
			if row.Source == provider.FromProbe {
				n++
			}
		}
		return n >= providers-1
	}
	if !d.until(b, recoverTime, asked) {
		t.fault(stuck, "%d years ahead: not probed within %s: %+v", ahead/(365*24*time.Hour), recoverTime, reply.Providers)
	}
	soon := time.Now().Add(5 * time.Second)
	for _, row := range reply.Providers {
		for name, at := range map[string]provider.Time{"since": row.Since, "last_ok_at": row.LastOKAt, "checked_at": row.CheckedAt} {
			if at.After(soon) {
				t.fault(wrong, "%s of %s is %s", name, row.ID, at)
			}
		}
		if row.RetryAt.After(soon.Add(maxWait)) {
			t.fault(wrong, "%s is not probed until %s", row.ID, row.RetryAt)
		}
		var history provider.HistoryReply
		if _, err := d.get("/api/providers/"+row.ID+"/history", &history); err != nil {
			return err
		}
		if history.Since.After(soon) {
			t.fault(wrong, "history of %s is since %s", row.ID, history.Since)
		}
		for state, seconds := range history.StateSeconds {
			if seconds < 0 || seconds > time.Since(soon.Add(-time.Minute)).Seconds() {
				t.fault(wrong, "history of %s: %.0f s of %s", row.ID, seconds, state)
			}
		}
	}
	t.note = "saved up to ten years ahead"
	return d.term()
}

// saveAhead writes rows like a daemon whose clock is ahead.
func saveAhead(path, endpoint string, providers int, ahead time.Duration) error {
	s, err := store.Open(path, store.Options{})
	if err != nil {
		return err
	}
	now := provider.Time{Time: time.Now().Add(ahead)}
	var ids []string
	for i := range providers {
		ids = append(ids, fmt.Sprintf("p%d", i))
	}
	s.Configure(ids, nil)
	for i, id := range ids {
		status := provider.Status{
			ID: id, Kind: "http", Endpoint: endpoint, State: provider.StateRunning, Reason: provider.OK, Since: now, CheckedAt: now,
			LastOKAt: now, Source: provider.FromProbe, TTLMS: 2000,
		}
		if i == 0 {
			status.State, status.Reason = provider.StateDegraded, provider.RateLimited
			status.RetryAt = provider.Time{Time: now.Add(time.Hour)}
		}
		s.Put(store.Update{Status: status, Event: &provider.Event{
			Time: now, ID: id, From: provider.StateUnknown, To: status.State, Reason: status.Reason,
		}})
	}
	return s.Close()
}
