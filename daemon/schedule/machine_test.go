package schedule

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

func TestMachine_Offline(t *testing.T) {
	fault := func(context.Context, int) probe.Observation {
		return probe.Observation{Saw: provider.NetworkUnreachable, HostFault: true}
	}
	t.Run("EveryRemoteFails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{})
			w.play("b", fault)
			w.play("c", fault)
			w.apply(settings("local"), remote("b"), remote("c"))
			w.run()
			time.Sleep(time.Minute)
			for id, want := range map[string]provider.Reason{"local": provider.OK, "b": provider.Offline, "c": provider.Offline} {
				if st := w.row(id); st.Reason != want {
					t.Errorf("%s is %s %s, want %s", id, st.State, st.Reason, want)
				}
			}
		})
	})
	t.Run("OneRemoteWorks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{})
			w.play("b", fault)
			w.apply(cloud("c"), cloud("b"))
			w.run()
			time.Sleep(time.Minute)
			if st := w.row("b"); st.State != provider.StateError || st.Reason != provider.NetworkUnreachable {
				t.Errorf("%s %s", st.State, st.Reason)
			}
		})
	})
	t.Run("TheHostSaysSo", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newHarness(t, Options{Online: func(string) bool { return false }})
			w.play("b", fault)
			w.apply(cloud("b"))
			w.run()
			time.Sleep(time.Second)
			if st := w.row("b"); st.State != provider.StateUnknown || st.Reason != provider.Offline {
				t.Errorf("%s %s", st.State, st.Reason)
			}
		})
	})
}

const untilCut, cutFor = 5 * time.Minute, 30 * time.Minute

// withOutage is a harness of remote providers whose network is gone for half an hour,
// five minutes from its start.
func withOutage(t *testing.T, o Options, saw provider.Reason, ids ...string) (w *harness, cut, back time.Time) {
	w = newHarness(t, o)
	cut = time.Now().Add(untilCut)
	back = cut.Add(cutFor)
	list := []config.Provider{settings("local")}
	for _, id := range ids {
		w.play(id, func(context.Context, int) probe.Observation {
			if now := time.Now(); now.After(cut) && now.Before(back) {
				return probe.Observation{Saw: saw, HostFault: saw != provider.ConnectTimeout}
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		list = append(list, remote(id))
	}
	w.apply(list...)
	return w.run(), cut, back
}

// remote is a cloud provider on a host of its own.
func remote(id string) config.Provider {
	p := cloud(id)
	p.BaseURL = "https://" + id + ".example.com"
	return p
}

func (w *harness) want(state provider.State, reason provider.Reason, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if st := w.row(id); st.State != state || st.Reason != reason {
			w.t.Errorf("%s is %s %s (%s), want %s %s", id, st.State, st.Reason, st.Detail, state, reason)
		}
	}
}

// eventsAfter are the events from a time on, one a line.
func (w *harness) eventsAfter(t time.Time) []string {
	w.t.Helper()
	synctest.Wait()
	events, err := w.store.Events(0, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, e := range events {
		if !e.Time.Before(t) {
			lines = append(lines, fmt.Sprint(e.ID, " ", e.From, " ", e.To, " ", e.Reason, " ", e.IDs))
		}
	}
	return lines
}

// If one remote provider cannot be reached because of this machine, the others are probed too, so
// that none is blamed for it. All become unknown with one event and known again with another, which
// does not count as an outage of theirs.
func TestMachine_AnOutageIsOneEventAtEachEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := withOutage(t, Options{}, provider.DNSFailure, "b", "c", "d")
		time.Sleep(time.Until(cut) + 75*time.Second) // each was due once
		w.want(provider.StateUnknown, provider.Offline, "b", "c", "d")
		w.want(provider.StateRunning, provider.OK, "local")
		time.Sleep(time.Until(back) + 20*time.Second)
		w.want(provider.StateRunning, provider.OK, "b", "c", "d")
		want := []string{"host RUNNING UNKNOWN offline [b c d]", "host UNKNOWN RUNNING ok [b c d]"}
		if got := w.eventsAfter(cut); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// What was wrong before an outage and is still wrong afterwards makes no event; what is wrong only
// afterwards does.
func TestMachine_AfterAnOutageOnlyNewsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := withOutage(t, Options{}, provider.NetworkUnreachable, "b", "c")
		w.play("down", func(context.Context, int) probe.Observation {
			if now := time.Now(); now.After(cut) && now.Before(back) {
				return probe.Observation{Saw: provider.NetworkUnreachable, HostFault: true}
			}
			return probe.Observation{Saw: provider.Unauthorized}
		})
		w.play("breaks", func(context.Context, int) probe.Observation {
			switch now := time.Now(); {
			case now.After(back):
				return probe.Observation{Saw: provider.Unauthorized}
			case now.After(cut):
				return probe.Observation{Saw: provider.NetworkUnreachable, HostFault: true}
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		w.apply(remote("b"), remote("c"), remote("down"), remote("breaks"))
		time.Sleep(time.Until(back) + time.Minute)
		want := []string{
			"host RUNNING UNKNOWN offline [b c down breaks]", "host UNKNOWN RUNNING ok [b c down breaks]",
			"breaks RUNNING ERROR unauthorized []",
		}
		got := w.eventsAfter(cut)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// Servers that are switched off together are not an outage of this machine.
func TestMachine_SilenceOfOthersIsTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, _ := withOutage(t, Options{}, provider.ConnectTimeout, "b", "c")
		time.Sleep(time.Until(cut) + 2*time.Minute)
		w.want(provider.StateError, provider.ConnectTimeout, "b", "c")
	})
}

// A server that has been off for days is not a witness: together with one fault of the resolver it
// does not count as two.
func TestMachine_WhoFailedLongAgoTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := withOutage(t, Options{}, provider.DNSFailure, "b")
		w.play("dead", always(provider.ConnectTimeout))
		w.apply(remote("b"), remote("dead"))
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.want(provider.StateError, provider.DNSFailure, "b")
		w.want(provider.StateError, provider.ConnectTimeout, "dead")
		time.Sleep(time.Until(back))
		for _, line := range w.eventsAfter(cut) {
			if strings.HasPrefix(line, "host") {
				t.Errorf("told of the host: %s", line)
			}
		}
	})
}

// A provider that asked for no requests is not probed, so an outage of this machine does not affect
// it.
func TestMachine_AnOutageLeavesWhoIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := withOutage(t, Options{}, provider.DNSFailure, "b", "c")
		until := cut.Add(10 * time.Hour)
		w.play("limited", func(context.Context, int) probe.Observation {
			return probe.Observation{Saw: provider.RateLimited, RetryAt: until}
		})
		w.apply(remote("b"), remote("c"), remote("limited"))
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.want(provider.StateUnknown, provider.Offline, "b", "c")
		w.want(provider.StateDegraded, provider.RateLimited, "limited")
		time.Sleep(time.Until(back) + 20*time.Second)
		w.want(provider.StateRunning, provider.OK, "b", "c")
		w.want(provider.StateDegraded, provider.RateLimited, "limited")
	})
}

// A provider that must not be probed cannot show that the network is back.
func TestMachine_AnOutageWithAPausedProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, _ := withOutage(t, Options{}, provider.DNSFailure, "b", "c", "paused")
		time.Sleep(time.Minute)
		_ = w.SetPaused("paused", true)
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.want(provider.StateUnknown, provider.Offline, "b", "c")
		w.want(provider.StateRunning, provider.Paused, "paused")
	})
}

// A restart during an outage does not end it.
func TestMachine_AnOutageOutlastsARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := withOutage(t, Options{}, provider.DNSFailure, "b", "c")
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.want(provider.StateUnknown, provider.Offline, "b", "c")
		w.stop()
		next := newHarness(t, Options{})
		next.path, next.plays = w.path, w.plays
		next.restart()
		next.apply(settings("local"), remote("b"), remote("c"))
		next.run()
		time.Sleep(time.Minute)
		next.want(provider.StateUnknown, provider.Offline, "b", "c")
		time.Sleep(time.Until(back) + 20*time.Second)
		next.want(provider.StateRunning, provider.OK, "b", "c")
		want := []string{"host RUNNING UNKNOWN offline [b c]", "host UNKNOWN RUNNING ok [b c]"}
		if got := next.eventsAfter(cut); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// An outage ends with the last provider that it is about.
func TestMachine_AnOutageOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, _ := withOutage(t, Options{}, provider.DNSFailure, "b", "c")
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.apply(settings("local"))
		if got := w.eventsAfter(cut); !slices.Contains(got, "host UNKNOWN RUNNING ok []") {
			t.Errorf("events %q", got)
		}
	})
}

// When the machine's network is back, providers are probed at once.
func TestMachine_EverybodyIsAskedWhenTheNetworkIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone, there := time.Now().Add(untilCut), time.Now().Add(untilCut+cutFor)
		online := func(string) bool { now := time.Now(); return now.Before(gone) || !now.Before(there) }
		w, cut, back := withOutage(t, Options{Online: online}, provider.NetworkUnreachable, "b")
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.want(provider.StateUnknown, provider.Offline, "b")
		if d := w.row("b").Detail; d != "this machine has no network" {
			t.Errorf("detail %q", d)
		}
		time.Sleep(time.Until(back) + 1500*time.Millisecond)
		w.want(provider.StateRunning, provider.OK, "b")
		if got := w.eventsAfter(cut); len(got) != 2 {
			t.Errorf("events %q", got)
		}
	})
}

// A machine that slept blames nobody for that time, and probes again at once. The wall clock continues
// during sleep; the other one does not.
func TestMachine_Suspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slept atomic.Int64
		w := newHarness(t, Options{Wall: func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }})
		dead := make(chan struct{}) // the connections from before
		w.play("b", func(ctx context.Context, n int) probe.Observation {
			if n == 3 {
				select {
				case <-dead:
				case <-ctx.Done():
				}
				return probe.Observation{Saw: provider.Hung}
			}
			return probe.Observation{Saw: provider.OK, Latency: time.Millisecond}
		})
		w.apply(settings("local"), cloud("b"), cloud("c"))
		w.run()
		for len(w.probes("b")) < 3 {
			time.Sleep(time.Second)
		}
		asleep := time.Now()
		slept.Store(int64(8 * time.Hour))
		time.Sleep(outage.Machine{}.LookAgain() + 2*minGap)
		close(dead)
		w.want(provider.StateRunning, provider.OK, "local", "b", "c")
		for _, id := range []string{"local", "b", "c"} {
			if probes := w.probes(id); probes[len(probes)-1].Before(asleep) {
				t.Errorf("%s was not asked after it", id)
			}
		}
		want := []string{"host RUNNING UNKNOWN offline [b c]", "host UNKNOWN RUNNING ok [b c]"}
		if got := w.eventsAfter(asleep); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// A reload during an outage keeps the last event of each provider, and does not end the outage for
// providers that stay or move.
func TestMachine_AReloadDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := withOutage(t, Options{}, provider.DNSFailure, "b", "c")
		time.Sleep(time.Until(cut) + 75*time.Second)
		w.want(provider.StateUnknown, provider.Offline, "b", "c")
		moved := remote("b")
		moved.BaseURL, moved.Endpoint = "https://b2.example.com", "https://b2.example.com"
		w.apply(settings("local"), moved)
		time.Sleep(2 * time.Minute)
		w.want(provider.StateUnknown, provider.Offline, "b")
		time.Sleep(time.Until(back) + 20*time.Second)
		w.want(provider.StateRunning, provider.OK, "b")
		want := []string{
			"host RUNNING UNKNOWN offline [b c]", "c RUNNING UNKNOWN not_checked []", "b RUNNING UNKNOWN not_checked []",
			"host UNKNOWN RUNNING ok [b]", "b UNKNOWN RUNNING ok []",
		}
		if got := w.eventsAfter(cut); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// A provider that is paused during an outage keeps the state from before it.
func TestMachine_APauseDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cut, back := withOutage(t, Options{}, provider.DNSFailure, "b", "c")
		time.Sleep(time.Until(cut) + 75*time.Second)
		_ = w.SetPaused("b", true)
		time.Sleep(time.Until(back) + 20*time.Second)
		w.want(provider.StateRunning, provider.Paused, "b")
		_ = w.SetPaused("b", false)
		time.Sleep(2 * time.Second)
		w.want(provider.StateRunning, provider.OK, "b", "c")
		want := []string{
			"host RUNNING UNKNOWN offline [b c]", "b RUNNING RUNNING paused []", "host UNKNOWN RUNNING ok [c]",
			"b RUNNING RUNNING not_checked []", "b RUNNING RUNNING ok []",
		}
		if got := w.eventsAfter(cut); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

// What a caller met while this machine is cut off, perhaps because of that, does not count for the
// provider; what is certain does.
func TestMachine_AReportDuringAnOutage(t *testing.T) {
	for name, tc := range map[string]struct {
		met  provider.Report
		want []string
	}{
		"Doubtful": {provider.Report{Error: "timeout"}, []string{"host RUNNING UNKNOWN offline [b c]", "host UNKNOWN RUNNING ok [b c]"}},
		"Certain": {provider.Report{Status: 401}, []string{"host RUNNING UNKNOWN offline [b c]", "b RUNNING ERROR unauthorized []",
			"host UNKNOWN RUNNING ok [b c]", "b ERROR RUNNING ok []"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cut, back := withOutage(t, Options{}, provider.DNSFailure, "b", "c")
				time.Sleep(time.Until(cut) + 75*time.Second)
				for range 3 {
					w.tell("b", tc.met)
					if name == "Certain" {
						break
					}
				}
				time.Sleep(time.Until(back) + 20*time.Second)
				w.want(provider.StateRunning, provider.OK, "b", "c")
				if got := w.eventsAfter(cut); !slices.Equal(got, tc.want) {
					t.Errorf("events %q, want %q", got, tc.want)
				}
			})
		})
	}
}
