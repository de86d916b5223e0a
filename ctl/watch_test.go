package ctl_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/providerd/providerd/ctl"
)

// A screen collects what is written and reports when a text has appeared.
type screen struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{}
}

func newScreen() *screen { return &screen{written: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.written <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await returns when the text has been written so many times.
func (s *screen) await(ctx context.Context, t *testing.T, text string, times int) {
	t.Helper()
	for strings.Count(s.String(), text) < times {
		select {
		case <-s.written:
		case <-ctx.Done():
			t.Fatalf("%q did not appear %d times in:\n%s", text, times, s)
		}
	}
}

// watching runs status --watch; its end returns the exit code.
func watching(t *testing.T, d *daemon, args ...string) (out, talk *screen, end func() int) {
	t.Helper()
	out = newScreen()
	talk, end = watchingOn(t, d, out, args...)
	return out, talk, end
}

// watchingOn is watching with a stdout of the caller's.
func watchingOn(t *testing.T, d *daemon, out io.Writer, args ...string) (talk *screen, end func() int) {
	t.Helper()
	return watchingIn(t, nil, d, out, args...)
}

// watchingIn is watchingOn with these variables.
func watchingIn(t *testing.T, variables map[string]string, d *daemon, out io.Writer, args ...string) (talk *screen, end func() int) {
	t.Helper()
	talk = newScreen()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- ctl.Main(ctx, ctl.Env{
			Args:  append([]string{"--socket", d.socket, "status", "--watch"}, args...),
			Stdin: strings.NewReader(""), Stdout: out, Stderr: talk, Getenv: environment(variables),
		})
	}()
	end = sync.OnceValue(func() int { cancel(); return <-done })
	t.Cleanup(func() { end() })
	return talk, end
}

const followFrom3 = "GET /api/events?follow=1&since=3"

// following answers with an event and then stays open.
func following(lines ...string) reply {
	r := stream(lines...)
	r.hold = true
	return r
}

func TestWatch(t *testing.T) {
	t.Parallel()
	const change = `{"seq":4,"id":"ollama","from":"STOPPED","to":"RUNNING"}`
	t.Run("ShowsEachChange", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(ollamaDown), rows(ollamaUp)},
			followFrom3:                 {following(change)},
		})
		out, talk, end := watching(t, d)
		out.await(t.Context(), t, "ollama  RUNNING", 1)
		if code := end(); code != 0 || talk.String() != "" {
			t.Errorf("exit code %d, %q", code, talk)
		}
		if !strings.Contains(out.String(), "ollama  STOPPED") {
			t.Error(out)
		}
	})
	t.Run("JSONIsALineForEachChange", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {ok("{\n \"seq\": 3}"), ok("{\n \"seq\": 4}")},
			followFrom3:                 {following(change)},
		})
		out, _, end := watching(t, d, "-o", "json")
		out.await(t.Context(), t, "\n", 2)
		if end(); out.String() != "{\"seq\":3}\n{\"seq\":4}\n" {
			t.Error(out)
		}
	})
	t.Run("YAMLIsADocumentForEachChange", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {ok(`{"seq": 3}`), ok(`{"seq": 4}`)},
			followFrom3:                 {following(change)},
		})
		out, _, end := watching(t, d, "-o", "yaml")
		out.await(t.Context(), t, "4\n", 1)
		if end(); out.String() != "---\nseq: 3\n---\nseq: 4\n" {
			t.Error(out)
		}
	})
	t.Run("SelectsAnewAfterEachChange", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(ollamaUp, strings.ReplaceAll(ollamaDown, "ollama", "other")), rows(ollamaDown, strings.ReplaceAll(ollamaDown, "ollama", "other"))},
			followFrom3:                 {following(change)},
		})
		out, _, end := watching(t, d, "ol*", "--problems", "--no-headers")
		out.await(t.Context(), t, "ollama  STOPPED", 1)
		if end(); strings.Contains(out.String(), "other") || strings.Contains(out.String(), "RUNNING") {
			t.Error(out)
		}
	})
	t.Run("SaysThatNothingIsSelected", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(ollamaUp), rows(ollamaDown)},
			followFrom3:                 {following(change)},
		})
		out, talk, end := watching(t, d, "--problems")
		out.await(t.Context(), t, "ollama  STOPPED", 1)
		if end(); !strings.Contains(talk.String(), "no problem: 1 provider, all usable") || strings.Count(out.String(), "STATE") != 1 {
			t.Error(out, talk)
		}
	})
	t.Run("PassesOverOtherProviders", func(t *testing.T) {
		t.Parallel()
		const status = "GET /api/providers/status?provider_id=ollama"
		d := startDaemon(t, map[string][]reply{
			status:      {rows(ollamaDown), rows(ollamaUp)},
			followFrom3: {following(`{"seq":4,"id":"other"}`, change)},
		})
		out, _, end := watching(t, d, "ollama")
		out.await(t.Context(), t, "ollama  RUNNING", 1)
		if end(); strings.Count(out.String(), "STATE") != 2 {
			t.Error(out)
		}
	})
	t.Run("ShowsWhatAReloadAddedAfterAHeartbeat", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(ollamaDown), rows(ollamaDown, `{"id":"groq","state":"RUNNING","reason":"ok"}`)},
			followFrom3:                 {following(`{"type":"heartbeat","seq":3}`)},
		})
		out, _, end := watching(t, d)
		out.await(t.Context(), t, "groq", 1)
		end()
	})
	t.Run("ShowsADoubtAfterAHeartbeat", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(`{"id":"groq","state":"RUNNING","reason":"ok"}`),
				rows(`{"id":"groq","state":"RUNNING","reason":"ok","doubt":{"saw":"connect_timeout"}}`)},
			followFrom3: {following(`{"type":"heartbeat","seq":3}`)},
		})
		out, _, end := watching(t, d)
		out.await(t.Context(), t, "ok?", 1)
		end()
	})
	t.Run("IsSilentAfterAHeartbeatWithoutNews", func(t *testing.T) {
		t.Parallel()
		more := make(chan string, 1)
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(ollamaDown), rows(ollamaDown), rows(ollamaUp)},
			followFrom3:                 {{status: 200, body: `{"type":"heartbeat","seq":3}` + "\n", stream: true, hold: true, more: more}},
		})
		out, _, end := watching(t, d)
		for range 3 { // the status, the events, and the status after the heartbeat
			d.awaitRequest(t)
		}
		more <- change
		out.await(t.Context(), t, "ollama  RUNNING", 1)
		if end(); strings.Count(out.String(), "STATE") != 2 {
			t.Error(out)
		}
	})
	t.Run("GoesOnWithTheNextDaemon", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{
			"GET /api/providers/status": {rows(ollamaDown), rows(ollamaUp)},
			followFrom3:                 {stream(`{"type":"end","reason":"shutting_down","seq":3}`), following()},
		})
		out, talk, end := watching(t, d)
		out.await(t.Context(), t, "ollama  RUNNING", 1)
		if end(); !strings.Contains(talk.String(), "the daemon is shutting down; waiting for the daemon to return") {
			t.Error(talk)
		}
	})
	t.Run("WithoutADaemonThereIsNothingToWatch", func(t *testing.T) {
		t.Parallel()
		run(t.Context(), "--socket", t.TempDir()+"/d.sock", "status", "--watch").want(t, 3, "", "start it")
	})
	t.Run("UnknownProvider", func(t *testing.T) {
		t.Parallel()
		d := startDaemon(t, map[string][]reply{"GET /api/providers/status?provider_id=nope": {refused(404, unknownID)}})
		d.run(t, "status", "nope", "--watch").want(t, 5, "", "no such provider")
	})
}

// A reader that closes the pipe has seen enough. That does not change the exit code.
func TestMain_ClosedPipeEndsQuietly(t *testing.T) {
	late := refused(504, `{"providers":[`+ollamaDown+`],"error":{"code":"timed_out","message":"late"}}`)
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/status":            {rows(ollamaUp)},
		"GET /api/daemon":                      {ok(`{"seq":0}`)},
		"GET /api/events?follow=1&since=0":     {following(`{"seq":1}`)},
		"GET /api/providers/ollama":            {ok(ollamaUp)},
		"GET /api/providers/stopped":           {ok(ollamaDown)},
		"GET /healthz":                         {refused(503, `{"status":"failing","checks":{}}`)},
		"POST /api/providers/refresh?wait=15s": {late},
	})
	for args, want := range map[string]int{
		"status": 0, "status -o json": 0, "events -f": 0, "version": 0, "is-running ollama": 0,
		"is-running stopped": 1, "health": 1, "health -o json": 1, "refresh --wait": 6, "refresh --wait -o json": 6,
	} {
		var talk bytes.Buffer
		code := ctl.Main(t.Context(), ctl.Env{
			Args: append([]string{"--socket", d.socket}, strings.Fields(args)...), Stdin: strings.NewReader(""),
			Stdout: brokenPipe{}, Stderr: io.Writer(&talk), Getenv: environment(nil),
		})
		if code != want || strings.Contains(talk.String(), "pipe") {
			t.Errorf("%v: exit code %d, want %d; %q", args, code, want, talk.String())
		}
	}
}
