package control_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// fillHistory makes a database with so many providers and days of history, until now. Each
// provider is probed every ten minutes, and down for ten minutes a day.
func fillHistory(t *testing.T, path string, providers, days int) (ids []string) {
	t.Helper()
	for i := range providers {
		ids = append(ids, fmt.Sprintf("provider-%04d", i))
	}
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		const step = 10 * time.Minute
		time.Sleep(time.Until(now.Add(-time.Duration(days) * provider.Daily)))
		s, err := store.Open(path, store.Options{First: 1})
		if err != nil {
			t.Fatal(err)
		}
		s.Configure(ids, nil)
		s.Watch(store.Watched{Wall: time.Now()})
		for _, id := range ids {
			s.Put(turned(id, provider.StateRunning, provider.OK))
		}
		for n := 0; time.Now().Add(step).Before(now); n++ {
			time.Sleep(step)
			s.Watch(store.Watched{Wall: time.Now(), Seen: step})
			for i, id := range ids {
				switch (n + i) % 144 {
				case 50:
					s.Put(turned(id, provider.StateStopped, provider.ConnectionRefused))
				case 51:
					s.Put(turned(id, provider.StateRunning, provider.OK))
				}
				s.Probed(id, true, time.Duration(float64(time.Millisecond)*(1+rand.ExpFloat64())))
			}
			if n%6 == 0 {
				synctest.Wait() // the hour is written
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return ids
}

// turned is a provider's change, with its event.
func turned(id string, to provider.State, reason provider.Reason) store.Update {
	at := provider.Time{Time: time.Now()}
	return store.Update{
		Status:  provider.Status{ID: id, Kind: "ollama", Type: provider.Local, State: to, Reason: reason, Since: at, CheckedAt: at, Source: provider.FromProbe},
		Event:   &provider.Event{Time: at, ID: id, To: to, Reason: reason},
		Durable: true,
	}
}

// The history of all providers is bounded, and agrees with that of each. The environment can make
// it as large as the largest: PROVIDERD_HISTORY=1000x90.
func TestHistories_OfMany(t *testing.T) {
	providers, days := 40, 12
	if size := os.Getenv("PROVIDERD_HISTORY"); size != "" {
		if _, err := fmt.Sscanf(size, "%dx%d", &providers, &days); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "p.db")
	ids := fillHistory(t, path, providers, days)
	r := startOn(t, socketPath(t), path, control.Options{})
	r.store.Configure(ids, nil)

	query := fmt.Sprintf("/api/history?window=%dd", days)
	took := r.fastest(query)
	resp, body := r.do("GET", query, "")
	if resp.StatusCode != http.StatusOK || len(body) > providers*(600+15*days) {
		t.Errorf("%d with %d bytes for %d providers and %d days", resp.StatusCode, len(body), providers, days)
	}
	all := want[provider.HistoriesReply](r, "GET", query, http.StatusOK)
	if len(all.Providers) != providers || len(all.Times) < days {
		t.Fatalf("%d providers, %d times", len(all.Providers), len(all.Times))
	}
	for i := range 5 {
		id := ids[i*(providers-1)/4]
		h := want[provider.HistoryReply](r, "GET", fmt.Sprintf("/api/providers/%s/history?window=%dd", id, days), http.StatusOK)
		entry := all.Providers[i*(providers-1)/4]
		if entry.ID != id || entry.KnownSeconds != h.KnownSeconds || entry.UsableSeconds != h.UsableSeconds || entry.Probed != *h.Probed ||
			entry.Outages.Count != h.Outages.Count || entry.Outages.Seconds != h.Outages.Seconds {
			t.Errorf("%+v\nbut by itself %+v, %+v, %+v", entry, h.Spent, h.Probed, h.Outages)
		}
		if h.Outages.Count < days-1 || h.Outages.Count > days+1 || h.KnownSeconds < float64(days)*86400-3600 || h.Probed.P50MS < 1 || h.Probed.P50MS > 2.2 {
			t.Errorf("%+v, %+v, %+v", h.Outages, h.Spent, h.Probed)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d providers x %d days, %d bytes on disk: all in %s and %d bytes; 30 days of one in %s, without window %s",
		providers, days, info.Size(), took, len(body),
		r.fastest("/api/providers/"+ids[0]+"/history?window=30d"), r.fastest("/api/providers/"+ids[0]+"/history"))
}

// fastest is how long a read takes if nothing delays it.
func (r *rig) fastest(path string) time.Duration {
	least := time.Hour
	for range 5 {
		began := time.Now()
		r.do("GET", path, "")
		least = min(least, time.Since(began))
	}
	return least
}
