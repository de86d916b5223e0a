package ctl_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl"
)

const (
	leaving = `{"type":"end","reason":"shutting_down","seq":0}`
	gone    = `{"error":{"code":"events_gone","message":"the events after 7 are gone","hint":"since=0"}}`
)

// at7 is a daemon whose newest event is number 7.
var at7 = ok(`{"seq":7}`)

// followingBy runs a command that follows; its end returns the exit code.
func followingBy(t *testing.T, d *daemon, args ...string) (out, talk *screen, end func() int) {
	t.Helper()
	out, talk = newScreen(), newScreen()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- ctl.Main(ctx, ctl.Env{
			Args:  append([]string{"--socket", d.socket}, args...),
			Stdin: strings.NewReader(""), Stdout: out, Stderr: talk, Getenv: environment(nil),
		})
	}()
	end = sync.OnceValue(func() int { cancel(); return <-done })
	t.Cleanup(func() { end() })
	return out, talk, end
}

// A follower gets each event once, whatever happens to the daemon meanwhile, and exits 0
// only when it is asked to end.
func TestEvents_FollowGoesOn(t *testing.T) {
	t.Parallel()
	event := func(seq, to string) string {
		return `{"seq":` + seq + `,"id":"a","time":"2026-01-02T03:04:05.00` + seq[len(seq)-1:] + `Z","from":"STOPPED","to":"` + to + `","reason":"ok"}`
	}
	const daemon = "GET /api/daemon"
	for name, tc := range map[string]struct {
		args string
		// script is the daemon's; the last line that it sends has number 99.
		script map[string][]reply
		told   []string
		talk   string
	}{
		"AfterARestart": {
			"events -f", map[string][]reply{
				daemon:                             {at7},
				"GET /api/events?follow=1&since=7": {stream(event("8", "RUNNING"), leaving)},
				"GET /api/events?follow=1&since=8": {following(event("99", "RUNNING"))},
			},
			[]string{event("8", "RUNNING"), event("99", "RUNNING")},
			"providerctl: the daemon is shutting down; waiting for the daemon to return\n",
		},
		"AfterARestartBeforeAnyEvent": {
			"events -f", map[string][]reply{
				daemon:                             {at7},
				"GET /api/events?follow=1&since=7": {stream(leaving), following(event("99", "RUNNING"))},
			},
			[]string{event("99", "RUNNING")}, "waiting for the daemon to return\n",
		},
		"AfterItWasTooSlow": {
			"events -f --since 4", map[string][]reply{
				daemon:                             {at7},
				"GET /api/events?since=4":          {stream(event("5", "RUNNING"), event("7", "STOPPED"))},
				"GET /api/events?follow=1&since=7": {stream(event("8", "RUNNING"), `{"type":"end","reason":"slow_reader","seq":8}`)},
				"GET /api/events?follow=1&since=8": {following(event("99", "RUNNING"))},
			},
			[]string{event("5", "RUNNING"), event("7", "STOPPED"), event("8", "RUNNING"), event("99", "RUNNING")},
			"read too slowly; continuing from there\n",
		},
		"WithAGap": {
			"events -f", map[string][]reply{
				daemon:                              {at7},
				"GET /api/events?follow=1&since=7":  {stream(`{"type":"gap","reason":"events_gone","first":8,"seq":11}`, leaving)},
				"GET /api/events?follow=1&since=11": {following(event("99", "RUNNING"))},
			},
			[]string{`{"type":"gap","reason":"events_gone","first":8,"seq":11}`, event("99", "RUNNING")}, "events 8 to 11: gone",
		},
		"WithTheLatestFirst": {
			"events -n 1 -f", map[string][]reply{
				daemon:                             {at7},
				"GET /api/events":                  {stream(event("6", "RUNNING"), event("7", "STOPPED"))},
				"GET /api/events?follow=1&since=7": {following(event("99", "RUNNING"))},
			},
			[]string{event("7", "STOPPED"), event("99", "RUNNING")}, "",
		},
		"WithADatabaseThatHasNewNumbers": { // as after a restore: the events of before are there too
			"events -f", map[string][]reply{
				daemon:                              {at7, ok(`{"seq":23}`)},
				"GET /api/events?follow=1&since=7":  {stream(event("8", "RUNNING"), leaving)},
				"GET /api/events?follow=1&since=8":  {refused(410, gone)},
				"GET /api/events":                   {stream(event("21", "STOPPED"), strings.Replace(event("8", "RUNNING"), `"seq":8`, `"seq":22`, 1), event("23", "STOPPED"))},
				"GET /api/events?follow=1&since=23": {following(event("99", "RUNNING"))},
			},
			[]string{event("8", "RUNNING"), `{"type":"gap","reason":"events_gone","first":9,"seq":22}`, event("23", "STOPPED"), event("99", "RUNNING")},
			"the daemon no longer has the events after 8: ",
		},
		"OfTheNamed": {
			"events -f b? host", map[string][]reply{
				daemon:                      {at7},
				"GET /api/providers/status": {rows(`{"id":"b1"}`)},
				"GET /api/events?follow=1&since=7": {following(event("8", "RUNNING"), `{"seq":9,"id":"b1"}`, `{"seq":10,"id":"b12"}`,
					`{"seq":11,"id":"host","ids":["c"]}`, `{"seq":12,"id":"b2"}`, strings.Replace(event("99", "RUNNING"), `"a"`, `"b3"`, 1))},
			},
			[]string{`{"seq":9,"id":"b1"}`, `{"seq":11,"id":"host","ids":["c"]}`, `{"seq":12,"id":"b2"}`, strings.Replace(event("99", "RUNNING"), `"a"`, `"b3"`, 1)}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, tc.script)
			out, talk, end := followingBy(t, d, append(strings.Fields(tc.args), "-o", "json")...)
			out.await(t.Context(), t, `"seq":99`, 1)
			if code := end(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if diff := cmp.Diff(strings.Join(tc.told, "\n")+"\n", out.String()); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if said := talk.String(); !strings.Contains(said, tc.talk) || tc.talk == "" && said != "" || strings.Count(said, "waiting") > 1 {
				t.Errorf("said %q, want %q", said, tc.talk)
			}
		})
	}
}

// An error that does not pass ends it, with a code other than 0 and how to continue.
func TestEvents_FollowFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args   string
		script map[string][]reply
		code   int
		err    string
	}{
		"NoDaemonYet":     {"events -f", nil, 3, "hint: start it"},
		"UnknownProvider": {"events nope -f", map[string][]reply{"GET /api/daemon": {at7}, "GET /api/providers/status": {rows(ollamaUp)}}, 5, "no such provider: \"nope\"\nproviderctl: hint: configured: ollama\n"},
		"NumberOfTheFuture": {"events -f --since 9", map[string][]reply{"GET /api/daemon": {at7}, "GET /api/events?since=9": {refused(410, gone)}},
			1, "the events after 7 are gone"},
		"ABug": {"events -f", map[string][]reply{"GET /api/daemon": {at7}, "GET /api/events?follow=1&since=7": {stream(`{"seq":8}`, `{"type":"end","reason":"whatever","seq":8}`)}},
			1, "the daemon ended the stream: whatever\nproviderctl: hint: continue with: providerctl events --follow --since 8\n"},
		"NoMoreAllowed": {"logs -f", map[string][]reply{"GET /api/daemon": {at7},
			"GET /api/daemon/log?follow=1": {stream(`{"message":"m"}`, leaving)}, "GET /api/daemon/log?lines=1000": {refused(403, `{"error":{"code":"denied","message":"not yours"}}`)}},
			4, "not yours\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r result
			if tc.script == nil {
				r = run(t.Context(), append([]string{"--socket", folder(t) + "/d.sock"}, strings.Fields(tc.args)...)...)
			} else {
				r = startDaemon(t, tc.script).run(t, strings.Fields(tc.args)...)
			}
			if r.code != tc.code || !strings.Contains(r.err, tc.err) {
				t.Errorf("exit code %d, want %d; %q, want %q", r.code, tc.code, r.err, tc.err)
			}
		})
	}
}

// The next daemon's log is another one. That of the same daemon, whose stream was only
// interrupted, is shown once.
func TestLogs_FollowGoesOn(t *testing.T) {
	t.Parallel()
	line := func(message string) string {
		return `{"time":"2999-01-02T03:04:05.000Z","level":"info","message":"` + message + `"}`
	}
	const all, allOn, none = "GET /api/daemon/log?lines=1000", "GET /api/daemon/log?follow=1&lines=1000", "GET /api/daemon/log?follow=1&lines=0"
	cut := `{"type":"end","reason":"slow_reader","seq":0}`
	var many []string
	for range 1000 {
		many = append(many, line("many"))
	}
	for name, tc := range map[string]struct {
		args   string
		script map[string][]reply
		told   []string
	}{
		"WithTheNextDaemon": {
			"logs -f -n 1", map[string][]reply{
				"GET /api/daemon/log?follow=1&lines=1": {stream(line("old"), line("bye"), leaving)},
				all:                                    {stream(line("hello"))},
				allOn:                                  {following(line("hello"), line("last"))},
			},
			[]string{line("old"), line("bye"), line("hello"), line("last")},
		},
		"WithTheSameDaemon": {
			"logs -f -n 1", map[string][]reply{
				"GET /api/daemon/log?follow=1&lines=1": {stream(line("one"), line("two"), cut)},
				all:                                    {stream(line("zero"), line("one"), line("two"), line("three"))},
				allOn:                                  {following(line("zero"), line("one"), line("two"), line("three"), line("four"), line("last"))},
			},
			[]string{line("one"), line("two"), line("three"), line("four"), line("last")},
		},
		"WithTheSameDaemonBeforeAnyLine": {
			"logs -f -n 0", map[string][]reply{
				none:  {stream(cut)},
				all:   {stream(`{"time":"2026-01-02T03:04:05.000Z","message":"old"}`, line("new"))},
				allOn: {following(`{"time":"2026-01-02T03:04:05.000Z","message":"old"}`, line("new"), line("last"))},
			},
			[]string{line("new"), line("last")},
		},
		"WithOneThatLogsALotMeanwhile": {
			"logs -f -n 0", map[string][]reply{
				none:  {stream(line("one"), cut)},
				all:   {stream(line("one"), line("two"))},
				allOn: {following(append(many, line("last"))...)},
			},
			append(append([]string{line("one"), line("two")}, many...), line("last")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.script["GET /api/daemon"] = []reply{at7}
			out, _, end := followingBy(t, startDaemon(t, tc.script), append(strings.Fields(tc.args), "-o", "json")...)
			out.await(t.Context(), t, `"last"`, 1)
			if code := end(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if diff := cmp.Diff(strings.Join(tc.told, "\n")+"\n", out.String()); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
