package feed

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

func TestPoller_AsksEveryTwoMinutesAndOnlyForWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.handle(func(rw http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") == `"v1"` && r.Header.Get("If-Modified-Since") == "Tue, 01 Sep 2026 10:00:00 GMT" {
				rw.WriteHeader(http.StatusNotModified)
				return
			}
			rw.Header().Set("Etag", `"v1"`)
			rw.Header().Set("Last-Modified", "Tue, 01 Sep 2026 10:00:00 GMT")
			_, _ = rw.Write([]byte(out))
		})
		began := time.Now()
		w.Follow([]config.Provider{follower("a", "API")})
		time.Sleep(10 * time.Minute)
		var at []time.Duration
		for _, r := range w.asked() {
			at = append(at, r.at.Sub(began))
		}
		want := []time.Duration{2500 * time.Millisecond}
		for range 4 {
			want = append(want, want[len(want)-1]+interval)
		}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Error(diff)
		}
		w.want("a", true, provider.ImpactCritical)
		step := w.last("a").Step
		if step.Status != http.StatusNotModified || !step.ReadAt.Equal(step.PolledAt.Time) || step.NextPollAt.Sub(step.PolledAt.Time) != interval {
			t.Errorf("%+v", step)
		}
		w.stop()
	})
}

// What is sent is the same for everybody.
func TestPoller_SendsNothingOfOnesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.handle(func(rw http.ResponseWriter, _ *http.Request) {
			http.SetCookie(rw, &http.Cookie{Name: "visitor", Value: "1"})
			_, _ = rw.Write([]byte(well))
		})
		p := follower("a", "API")
		p.Key = config.NewSecret("test-key")
		w.Follow([]config.Provider{p})
		time.Sleep(5 * time.Minute)
		asked := w.asked()
		if len(asked) < 2 {
			t.Fatal(asked)
		}
		want := []string{"Accept", "Accept-Encoding", "Connection", "User-Agent"}
		if got := slices.Sorted(maps.Keys(asked[1].header)); !slices.Equal(got, want) {
			t.Errorf("headers %v", asked[1].header)
		}
		if agent := asked[0].header.Get("User-Agent"); agent != "providerd" {
			t.Errorf("User-Agent %q", agent)
		}
		w.stop()
	})
}

func TestPoller_OneRequestForAllWhoFollowAFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.answer(out)
		w.Follow([]config.Provider{follower("api", "API"), follower("chat", "Chat"), follower("lost", "Console"), {ID: "none"}})
		time.Sleep(time.Minute)
		if n := len(w.asked()); n != 1 {
			t.Errorf("%d requests", n)
		}
		w.want("api", true, provider.ImpactCritical)
		w.want("chat", true, provider.ImpactNone)
		w.want("lost", true, provider.ImpactUnknown)
		if n := w.last("lost"); n.Reading.Incident != nil || !slices.Equal(n.Step.Missing, []string{"Console"}) {
			t.Errorf("%+v", n)
		}
		if n := w.last("none"); n.id != "" {
			t.Errorf("%+v", n)
		}
		w.stop()
	})
}

// Nobody is asked for nobody.
func TestPoller_WithoutAFollowerItDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.Follow([]config.Provider{{ID: "a"}})
		time.Sleep(time.Hour)
		w.Follow([]config.Provider{follower("a", "API")})
		time.Sleep(time.Minute)
		w.Follow(nil)
		time.Sleep(time.Hour)
		if n := len(w.asked()); n != 1 {
			t.Errorf("%d requests", n)
		}
		w.stop()
	})
}

// Who comes later, or wants to know of another component, is told what is known.
func TestPoller_FollowTellsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.answer(out)
		w.Follow([]config.Provider{follower("a", "Chat")})
		time.Sleep(time.Minute)
		w.Follow([]config.Provider{follower("a", "API"), follower("b", "Chat")})
		time.Sleep(time.Millisecond)
		w.want("a", true, provider.ImpactCritical)
		w.want("b", true, provider.ImpactNone)
		if n := len(w.asked()); n != 1 {
			t.Errorf("%d requests", n)
		}
		w.stop()
	})
}

// A feed that fails is asked less often. What it said before holds for a while and
// then no more.
func TestPoller_AFeedThatFails(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"500":     func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) },
		"HTML":    func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) },
		"Nothing": func(http.ResponseWriter, *http.Request) {},
		"Silence": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"Reset":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"CutOff": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "1000")
			_, _ = rw.Write([]byte(well))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newHarness(t)
				w.answer(out)
				w.Follow([]config.Provider{follower("a", "API")})
				time.Sleep(10 * time.Second)
				read := w.last("a").at
				w.handle(fail)
				time.Sleep(time.Until(read) + lasts - time.Second)
				w.want("a", true, provider.ImpactCritical)
				if n := w.last("a"); n.Step.Error == "" || !n.Step.ReadAt.Equal(read) {
					t.Errorf("it does not say what is wrong: %+v", n.Step)
				}
				time.Sleep(2*time.Second + deadline) // a poll may be under way then
				w.want("a", false, provider.ImpactUnknown)
				if n := w.last("a"); n.Reading.Incident != nil {
					t.Errorf("an incident that nobody knows of: %+v", n.Reading)
				}
				asked := w.asked()
				for i, want := range []time.Duration{interval, soonest, 2 * soonest, 4 * soonest, slowest} {
					if gap := asked[i+1].at.Sub(asked[i].at); gap < want || gap > want+deadline {
						t.Errorf("request %d came after %s, want %s", i+2, gap, want)
					}
				}
				w.answer(well)
				time.Sleep(slowest + deadline)
				w.want("a", true, provider.ImpactNone)
				w.stop()
			})
		})
	}
}

// A document that cannot be read is asked for anew, whole.
func TestPoller_KeepsNoValidatorsOfABrokenDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.handle(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Etag", `"v1"`)
			_, _ = rw.Write([]byte("{"))
		})
		w.Follow([]config.Provider{follower("a", "API")})
		time.Sleep(10 * time.Minute)
		for _, r := range w.asked() {
			if v := r.header.Get("If-None-Match"); v != "" {
				t.Errorf("asked with %s", v)
			}
		}
		w.stop()
	})
}

// A rest that a vendor asks for is longer than what it said is good for.
func TestPoller_RetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.answer(out)
		w.Follow([]config.Provider{follower("a", "API")})
		time.Sleep(time.Minute)
		w.handle(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "7200")
			rw.WriteHeader(http.StatusTooManyRequests)
		})
		time.Sleep(2 * time.Hour)
		if n := len(w.asked()); n != 2 {
			t.Errorf("%d requests", n)
		}
		w.want("a", false, provider.ImpactUnknown)
		time.Sleep(3 * time.Minute)
		if n := len(w.asked()); n != 3 {
			t.Errorf("%d requests after the rest", n)
		}
		w.stop()
	})
}

// While a feed was never read, what the database knows of it is left alone, for as
// long as a reading would have been good.
func TestPoller_AFeedThatWasNeverRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHarness(t)
		w.handle(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) })
		w.Follow([]config.Provider{follower("a", "API")})
		time.Sleep(lasts - time.Second)
		w.want("a", false, provider.ImpactUnknown)
		if n := w.last("a"); !n.Early || n.Step.Error == "" {
			t.Errorf("told %+v", n)
		}
		time.Sleep(2 * time.Second)
		w.want("a", false, provider.ImpactUnknown)
		if n := w.last("a"); n.Early {
			t.Errorf("told %+v", n)
		}
		w.stop()
	})
}
