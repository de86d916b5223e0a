package control_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

func ids(rows []provider.Status) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func TestStatus(t *testing.T) {
	slow := running("zeta")
	slow.TTLMS = 65_000
	r := start(t, control.Options{}, slow, running("ollama:gpu"), running("alpha"))

	for _, tt := range []struct {
		name, query string
		ids         []string
		ttl         int64
	}{
		{"AllInConfigurationOrder", "", []string{"zeta", "ollama:gpu", "alpha"}, 11_500},
		{"OneAndItsTTL", "?provider_id=zeta", []string{"zeta"}, 65_000},
		{"RepeatedOnesOnceInConfigurationOrder", "?provider_id=alpha&provider_id=zeta&provider_id=alpha", []string{"zeta", "alpha"}, 11_500},
		{"IDWithAColon", "?provider_id=ollama:gpu", []string{"ollama:gpu"}, 11_500},
		{"IDWithAnEncodedColon", "?provider_id=ollama%3Agpu", []string{"ollama:gpu"}, 11_500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := time.Now().Add(-time.Millisecond)
			got := want[provider.StatusReply](r, "GET", "/api/providers/status"+tt.query, 200)
			if diff := cmp.Diff(tt.ids, ids(got.Providers)); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if got.CacheTTLMS != tt.ttl {
				t.Errorf("cache_ttl_ms = %d, want %d", got.CacheTTLMS, tt.ttl)
			}
			if got.TS.Before(before) || got.TS.After(time.Now()) {
				t.Errorf("ts = %v is not now", got.TS)
			}
			for _, row := range got.Providers {
				if row.AgeMS == nil || row.Stale {
					t.Errorf("row of a fresh probe: age_ms %v, stale %v", row.AgeMS, row.Stale)
				}
			}
		})
	}
	if n, m := r.providers.asked(); n+m != 0 {
		t.Errorf("plain reads asked for %d probes", n+m)
	}
}

func TestStatus_HEADHasTheLengthAndNoBody(t *testing.T) {
	r := start(t, control.Options{}, running("a"))
	_, body := r.do("GET", "/api/providers/a", "")
	resp, none := r.do("HEAD", "/api/providers/a", "")
	if resp.StatusCode != 200 || none != "" {
		t.Errorf("HEAD: %d, body %q", resp.StatusCode, none)
	}
	length, err := strconv.Atoi(resp.Header.Get("Content-Length"))
	if err != nil || length < len(body)-8 || length > len(body)+8 { // the age may have more digits
		t.Errorf("HEAD: Content-Length %q, the body of GET has %d", resp.Header.Get("Content-Length"), len(body))
	}
}

func TestStatus_MaxAge(t *testing.T) {
	t.Parallel()
	const path = "/api/providers/status?provider_id=a"

	t.Run("YoungRowsAreNotProbed", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		want[provider.StatusReply](r, "GET", path+"&max_age=1h", 200)
		if _, n := r.providers.asked(); n != 0 {
			t.Errorf("%d probes were asked for", n)
		}
	})
	t.Run("WaitsForAProbeThatBeganAfterTheRequest", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"), running("b"))
		done := make(chan struct{})
		r.providers.onEnsure = func([]string) {
			go func() {
				defer close(done)
				old := running("a") // a probe that began before the request lands first
				old.CheckedAt.Time = time.Now().Add(-time.Minute)
				old.Version = "old"
				r.put(old, nil)
				fresh := running("a")
				fresh.Version = "new"
				r.put(fresh, nil)
			}()
		}
		got := want[provider.StatusReply](r, "GET", path+"&max_age=0s", 200)
		<-done
		if len(got.Providers) != 1 || got.Providers[0].Version != "new" || got.Providers[0].Stale {
			t.Errorf("got %+v, want the fresh row", got.Providers)
		}
		if diff := cmp.Diff([][]string{{"a"}}, r.providers.ensured); diff != "" {
			t.Errorf("probes asked for (-want +got):\n%s", diff)
		}
		if r.providers.maxAges[0] != 0 {
			t.Errorf("max age %v was handed on, want 0", r.providers.maxAges[0])
		}
	})
	t.Run("MarksWhatIsStillOldStale", func(t *testing.T) {
		row := running("a")
		row.CheckedAt.Time, row.TTLMS = time.Now().Add(-5*time.Second), time.Hour.Milliseconds()
		r := start(t, control.Options{}, row)
		if got := want[provider.StatusReply](r, "GET", path, 200); got.Providers[0].Stale {
			t.Error("a plain read calls the row stale")
		}
		got := want[provider.StatusReply](r, "GET", path+"&max_age=1s&wait=10ms", 200)
		if !got.Providers[0].Stale || *got.Providers[0].AgeMS < 5000 {
			t.Errorf("stale = %v, age_ms = %d", got.Providers[0].Stale, *got.Providers[0].AgeMS)
		}
	})
	t.Run("DoesNotWaitForRowsThatWillNotBeProbed", func(t *testing.T) {
		paused, limited := running("a"), running("b")
		paused.Paused = true
		limited.Reason = provider.RateLimited
		limited.RetryAt.Time = time.Now().Add(time.Hour)
		r := start(t, control.Options{}, paused, limited)
		got := want[provider.StatusReply](r, "GET", "/api/providers/status?max_age=0s&wait=1m", 200)
		if !got.Providers[0].Stale || !got.Providers[1].Stale {
			t.Errorf("rows that are older than max_age are not marked: %+v", got.Providers)
		}
	})
	t.Run("OneThatAReloadRemovedIsUnknown", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"), running("b"))
		r.providers.onEnsure = func([]string) { r.store.Configure([]string{"b"}, nil) }
		if got := want[provider.ErrorReply](r, "GET", path+"&max_age=0s&wait=1m", 404); got.Error.Code != provider.UnknownProvider {
			t.Errorf("got %+v", got.Error)
		}
	})
	t.Run("EndsWithTheClient", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		ctx, cancel := context.WithCancel(t.Context())
		r.providers.onEnsure = func([]string) { cancel() }
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://localhost"+path+"&max_age=0s&wait=1m", nil)
		if resp, err := r.client.Do(req); err == nil {
			resp.Body.Close()
			t.Fatal("the request was answered")
		}
		// start checks that the server's end has ended too.
	})
	t.Run("EndsWithTheServer", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.providers.onEnsure = func([]string) { go r.server.Shutdown(context.Background()) }
		got := want[provider.StatusReply](r, "GET", path+"&max_age=0s&wait=1m", 200)
		if !got.Providers[0].Stale {
			t.Error("the row is not marked stale")
		}
	})
	t.Run("NeverCheckedRowHasNoAge", func(t *testing.T) {
		r := start(t, control.Options{}, provider.Status{ID: "a", State: provider.StateUnknown, Reason: provider.NotChecked})
		_, body := r.do("GET", path+"&max_age=1h&wait=0s", "")
		if strings.Contains(body, "age_ms") || !strings.Contains(body, `"stale":true`) {
			t.Errorf("got %s", body)
		}
	})
}

func TestProvider(t *testing.T) {
	never := provider.Status{ID: "never", Kind: "openai", State: provider.StateUnknown, Reason: provider.NotChecked, Hint: "wait"}
	r := start(t, control.Options{}, running("ollama:gpu"), never)

	t.Run("Row", func(t *testing.T) {
		for _, path := range []string{"/api/providers/ollama:gpu", "/api/providers/ollama%3Agpu"} {
			if got := want[provider.Status](r, "GET", path, 200); got.ID != "ollama:gpu" || got.AgeMS == nil {
				t.Errorf("%s: got %+v", path, got)
			}
		}
	})
	t.Run("NoModelsIsAnEmptyList", func(t *testing.T) {
		_, body := r.do("GET", "/api/providers/never/models", "")
		if body != `{"id":"never","models":[]}`+"\n" {
			t.Errorf("got %s", body)
		}
	})
	t.Run("DiagnosticsOfANeverProbedRowAreItsVerdict", func(t *testing.T) {
		got := want[provider.Diagnostics](r, "GET", "/api/providers/never/diagnostics", 200)
		if got.ID != "never" || got.Verdict.Reason != provider.NotChecked || got.Verdict.Hint != "wait" || len(got.Requests) != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("HistoryWithoutEventsIsEmpty", func(t *testing.T) {
		got := want[provider.HistoryReply](r, "GET", "/api/providers/never/history", 200)
		if len(got.Transitions) != 0 || got.Transitions == nil || got.UptimeRatio != nil {
			t.Errorf("got %+v", got)
		}
	})
}
