//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A script is a daemon that answers what a test prescribes.
type script struct {
	status     provider.StatusReply
	events     []provider.Event
	generation uint64
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/providers/status":
		_ = json.NewEncoder(w).Encode(&s.status)
	case "/api/events":
		since := uint64(0)
		_, _ = fmt.Sscan(r.URL.Query().Get("since"), &since)
		if n := len(s.events); since > 0 && (n == 0 || s.events[n-1].Seq < since) {
			w.WriteHeader(http.StatusGone)
			return
		}
		for _, e := range s.events {
			if e.Seq > since {
				_ = json.NewEncoder(w).Encode(&e)
			}
		}
	case "/api/providers/refresh":
		s.generation++
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(provider.RefreshReply{Generation: s.generation})
	}
}

// serve runs that daemon on a socket.
func (s *script) serve(t *testing.T) *daemon {
	t.Helper()
	d, err := new(bench).newDaemon(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	d.socket = filepath.Join(d.dir, "s")
	l, err := net.Listen("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: s}}
	server.Start()
	t.Cleanup(func() { d.http.CloseIdleConnections(); server.Close() })
	return d
}

func row(state provider.State, since time.Time) provider.Status {
	return provider.Status{ID: "p0", State: state, Since: provider.Time{Time: since}}
}

// A witness complains if what it saw no longer holds after the next start.
func TestWitness_Complains(t *testing.T) {
	early := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	late := early.Add(time.Second)
	change := func(seq uint64, to provider.State) provider.Event {
		return provider.Event{Seq: seq, ID: "p0", To: to}
	}
	for name, tc := range map[string]struct {
		after func(*script)
		want  fault // empty: none
	}{
		"NothingChanged": {func(*script) {}, ""},
		"NewState": {func(s *script) {
			s.status.Providers[0], s.status.Seq = row(provider.StateStopped, late.Add(time.Second)), 3
			s.events = append(s.events, change(3, provider.StateStopped))
		}, ""},
		"RowWentBack": {func(s *script) { // before its event was told
			s.status.Providers[0], s.status.Seq = row(provider.StateStopped, early), 0
			s.events[1].To = provider.StateStopped
		}, lost},
		"EventsAreGone":       {func(s *script) { s.events = s.events[:1] }, lost},
		"EventIsAnotherNow":   {func(s *script) { s.events[1].To = provider.StateError }, wrong},
		"RowIsNotItsEvent":    {func(s *script) { s.status.Providers[0].State = provider.StateError }, wrong},
		"PauseIsForgotten":    {func(s *script) { s.status.Providers[0].Paused = false }, lost},
		"GenerationCameAgain": {func(s *script) { s.generation -= 2 }, wrong},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{generation: 7, events: []provider.Event{change(1, provider.StateStopped), change(2, provider.StateRunning)}}
			s.status = provider.StatusReply{Seq: 2, Providers: []provider.Status{row(provider.StateRunning, late)}}
			s.status.Providers[0].Paused = true
			d := s.serve(t)
			one := &try{found: map[fault]int{}}
			w := newWitness(one, false)
			for _, e := range s.events {
				w.events[e.Seq] = e
			}
			w.paused["p0"] = true
			if err := w.resume(d); err != nil || len(one.report) > 0 {
				t.Fatalf("%v before anything happened (%v)", one.report, err)
			}
			if name == "RowWentBack" { // it was seen, but its event was not
				w.events, w.newest, w.statusSeq = map[uint64]provider.Event{}, 0, 0
			}
			if name == "NewState" || name == "RowWentBack" {
				delete(w.paused, "p0")
			}
			tc.after(s)
			if err := w.resume(d); err != nil {
				t.Fatal(err)
			}
			if tc.want == "" && len(one.report) > 0 {
				t.Errorf("%v", one.report)
			}
			if tc.want != "" && one.found[tc.want] == 0 {
				t.Errorf("it does not complain about %s: %s", tc.want, strings.Join(one.report, "; "))
			}
		})
	}
}

// What is new in a status is news, like an event; what stayed is not.
func TestWitness_News(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &script{status: provider.StatusReply{Providers: []provider.Status{row(provider.StateRunning, began)}}}
	d := s.serve(t)
	w := newWitness(&try{found: map[fault]int{}}, false)
	for _, tc := range []struct {
		since time.Time
		news  int
	}{{began, 1}, {began, 0}, {began.Add(time.Second), 1}} {
		s.status.Providers[0].Since.Time = tc.since
		if err := w.read(d); err != nil {
			t.Fatal(err)
		}
		if len(w.news) != tc.news {
			t.Errorf("%d of %d news", len(w.news), tc.news)
		}
		for len(w.news) > 0 {
			<-w.news
		}
	}
}
