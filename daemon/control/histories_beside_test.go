package control_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// fillDays makes a database with so many providers and days of history, until now, a day at a
// time.
func fillDays(t *testing.T, path string, providers, days int) (ids []string) {
	t.Helper()
	for i := range providers {
		ids = append(ids, fmt.Sprintf("provider-%04d", i))
	}
	wall := time.Now().Add(-time.Duration(days) * provider.Daily)
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(path, store.Options{First: 1})
		if err != nil {
			t.Fatal(err)
		}
		s.Configure(ids, nil)
		s.Watch(store.Watched{Wall: wall})
		for _, id := range ids {
			s.Put(turned(id, provider.StateRunning, provider.OK))
		}
		for range days {
			for i, id := range ids {
				s.Probed(id, true, time.Duration(1+i%40)*time.Millisecond)
			}
			wall = wall.Add(provider.Daily)
			s.Watch(store.Watched{Wall: wall, Seen: provider.Daily})
			if err := s.SyncBarrier(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return ids
}

// How long a status takes beside one reader of the history of all providers, in slices that
// alternate with slices without it. Run: PROVIDERD_BESIDE=1 go test ./daemon/control -run Beside -v
func TestHistories_BesideStatus(t *testing.T) {
	if os.Getenv("PROVIDERD_BESIDE") == "" {
		t.Skip("takes a minute: set PROVIDERD_BESIDE=1")
	}
	path := filepath.Join(t.TempDir(), "p.db")
	ids := fillDays(t, path, 1000, 90)
	r := startOn(t, socketPath(t), path, control.Options{})
	r.store.Configure(ids, nil)
	var took [2][]time.Duration // without, with
	for slice := range 16 {
		with := slice % 2
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for with == 1 && ctx.Err() == nil {
				r.do("GET", "/api/history?window=90d", "")
			}
		}()
		for end := time.Now().Add(700 * time.Millisecond); time.Now().Before(end); {
			began := time.Now()
			if resp, _ := r.do("GET", "/api/providers/status", ""); resp.StatusCode != http.StatusOK {
				t.Fatal(resp.Status)
			}
			took[with] = append(took[with], time.Since(began))
			time.Sleep(5 * time.Millisecond)
		}
		stop()
		<-ended
	}
	at := func(with int, q float64) time.Duration {
		slices.Sort(took[with])
		return took[with][int(q*float64(len(took[with])-1))]
	}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		t.Logf("p%g: %s without, %s with, %.2f times (%d and %d reads); history alone %s", q*100, at(0, q), at(1, q), float64(at(1, q))/float64(at(0, q)),
			len(took[0]), len(took[1]), r.fastest("/api/history?window=90d"))
	}
}
