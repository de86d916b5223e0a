package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// ndjson streams lines, each in a chunk of its own.
func ndjson(lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for _, line := range lines {
			io.WriteString(w, line)
			w.(http.Flusher).Flush()
		}
	}
}

func TestClient_Events(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		seqs    []uint64
		notes   int
		code    provider.Code
	}{
		"YieldsEachEvent": {
			handler: ndjson(`{"seq":1,"id":"a"}`+"\n", `{"seq":2,"id":"a"}`+"\n"),
			seqs:    []uint64{1, 2},
		},
		"JoinsLinesAcrossChunks": {
			handler: ndjson(`{"seq":1,`, `"id":"a"}`+"\n"+`{"seq":2}`+"\n"+`{"se`, `q":3}`+"\n"),
			seqs:    []uint64{1, 2, 3},
		},
		"HandsNotesAside": {
			handler: ndjson(`{"type":"heartbeat","seq":4}`+"\n", `{"seq":5}`+"\n"),
			seqs:    []uint64{5},
			notes:   1,
		},
		"EndsWithTheDaemonsWord": {
			handler: ndjson(`{"seq":1}`+"\n", `{"type":"end","reason":"shutting_down","seq":1}`+"\n"),
			seqs:    []uint64{1},
			notes:   1,
			code:    provider.ShuttingDownNow,
		},
		"TellsASlowReader": {
			handler: ndjson(`{"type":"end","reason":"slow_reader","seq":1}` + "\n"),
			notes:   1,
			code:    provider.TooMany,
		},
		"TellsALineThatIsNotJSON": {
			handler: ndjson(`{"seq":1}`+"\n", "oops\n"),
			seqs:    []uint64{1},
			code:    provider.Internal,
		},
		"RefusesALineWithoutEnd": {
			handler: ndjson(strings.Repeat("x", 2<<20)),
			code:    provider.DaemonUnreachable,
		},
		"TellsAStreamThatBreaksOff": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				ndjson(`{"seq":1}`+"\n")(w, r)
				panic(http.ErrAbortHandler)
			},
			seqs: []uint64{1},
			code: provider.DaemonUnreachable,
		},
		"ReturnsAnErrorReply": {
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusGone)
				io.WriteString(w, `{"error":{"code":"events_gone","message":"too old"}}`)
			},
			code: provider.EventsGone,
		},
		"RefusesWhatIsNoStream": {
			handler: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") },
			code:    provider.DaemonUnreachable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var seqs []uint64
			var last error
			notes := 0
			q := client.EventsQuery{Note: func(provider.StreamNote) { notes++ }}
			for event, err := range serve(t, tc.handler).Events(t.Context(), q) {
				if last = err; err == nil {
					seqs = append(seqs, event.Seq)
				}
			}
			if diff := cmp.Diff(tc.seqs, seqs); diff != "" || notes != tc.notes {
				t.Errorf("%d notes, want %d; events %s", notes, tc.notes, diff)
			}
			if tc.code == "" {
				if last != nil {
					t.Error(last)
				}
				return
			}
			wantCode(t, last, tc.code)
		})
	}
}

// Nobody misses events silently: a client without a note function gets an error.
func TestClient_Events_TellOfAGap(t *testing.T) {
	gap := ndjson(`{"seq":1}`+"\n", `{"type":"gap","reason":"events_gone","first":2,"seq":4}`+"\n", `{"seq":5}`+"\n")
	var seqs []uint64
	var notes []provider.StreamNote
	q := client.EventsQuery{Note: func(n provider.StreamNote) { notes = append(notes, n) }}
	for event, err := range serve(t, gap).Events(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, event.Seq)
	}
	if want := (provider.Gap{First: 2, Last: 4}); len(notes) != 1 || notes[0].Gap() != want || !slices.Equal(seqs, []uint64{1, 5}) {
		t.Errorf("events %v, notes %v", seqs, notes)
	}
	seqs = nil
	var last error
	for event, err := range serve(t, gap).Events(t.Context(), client.EventsQuery{}) {
		if last = err; err == nil {
			seqs = append(seqs, event.Seq)
		}
	}
	wantCode(t, last, provider.EventsGone)
	if !slices.Equal(seqs, []uint64{1}) || !strings.Contains(last.Error(), "events 2 to 4") {
		t.Errorf("events %v, then %v", seqs, last)
	}
}

func TestClient_Events_BreakLeavesTheStream(t *testing.T) {
	left := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ndjson(`{"seq":1}`+"\n", `{"seq":2}`+"\n")(w, r)
		<-r.Context().Done()
		close(left)
	})
	for range c.Events(t.Context(), client.EventsQuery{Follow: true}) {
		break
	}
	<-left
}

func TestClient_Events_EndWithTheContext(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ndjson(`{"seq":1}`+"\n")(w, r)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.Events(ctx, client.EventsQuery{Follow: true}) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
}

func TestClient_StreamPaths(t *testing.T) {
	zero := uint64(0)
	for want, got := range map[string]string{
		"/api/events":                       client.EventsQuery{}.Path(),
		"/api/events?follow=1&since=0":      client.EventsQuery{Since: &zero, Follow: true}.Path(),
		"/api/daemon/log":                   client.LogQuery{}.Path(),
		"/api/daemon/log?follow=1&lines=20": client.LogQuery{Lines: 20, Follow: true}.Path(),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestClient_Log(t *testing.T) {
	c := serve(t, ndjson(`{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"hello","fields":{"id":"a"}}`+"\n"))
	for line, err := range c.Log(t.Context(), client.LogQuery{}) {
		if err != nil || line.Message != "hello" || line.Fields["id"] != "a" {
			t.Errorf("%+v, %v", line, err)
		}
	}
}
