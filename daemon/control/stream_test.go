package control_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

// A line is any line of a stream of events.
type line struct {
	provider.Event
	Type  string             `json:"type"`
	First uint64             `json:"first"`
	Fleet provider.FleetMode `json:"fleet"`
	End   string             `json:"-"`
}

// reader reads the lines of a stream.
type reader struct {
	t    testing.TB
	scan *bufio.Scanner
}

func newReader(t testing.TB, body io.Reader) *reader {
	scan := bufio.NewScanner(body)
	scan.Buffer(nil, 1<<20)
	return &reader{t, scan}
}

// next returns the next line; ok is false at the proper end of the stream.
func (rd *reader) next() (l line, ok bool) {
	rd.t.Helper()
	if !rd.scan.Scan() {
		if err := rd.scan.Err(); err != nil {
			rd.t.Fatalf("the stream broke: %v", err)
		}
		return l, false
	}
	if err := json.Unmarshal(rd.scan.Bytes(), &l); err != nil {
		rd.t.Fatalf("line %q: %v", rd.scan.Text(), err)
	}
	if l.Type == "end" {
		l.End = string(l.Reason)
	}
	return l, true
}

// rest reads events, which must be consecutive from seq on, and returns the last line that is not
// an event.
func (rd *reader) rest(seq uint64) (last line, newest uint64) {
	rd.t.Helper()
	for {
		l, ok := rd.next()
		switch {
		case !ok:
			return last, seq
		case l.Type != "":
			last = l
		case l.Seq != seq+1:
			rd.t.Fatalf("event %d follows %d", l.Seq, seq)
		default:
			seq = l.Seq
		}
	}
}

// stream opens a stream.
func (r *rig) stream(path string) *reader {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://localhost"+path, nil)
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close(); cancel() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		r.t.Fatalf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return newReader(r.t, resp.Body)
}

// emit makes n events of provider "a" happen, and waits until they are readable.
func (r *rig) emit(n int) {
	r.t.Helper()
	target := r.store.View().Seq() + uint64(n)
	for range n {
		r.put(running("a"), &provider.Event{
			Time: provider.Time{Time: time.Now()}, ID: "a", From: provider.StateStopped, To: provider.StateRunning, Reason: provider.OK,
		})
	}
	for {
		more := r.store.NextEvents()
		if r.store.View().Seq() >= target {
			return
		}
		<-more
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	t.Run("AllThatAreKept", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.emit(600) // more than are read from the store at once
		if last, newest := r.stream("/api/events").rest(0); newest != 600 || last.Type != "" {
			t.Errorf("newest is %d, last line %+v", newest, last)
		}
	})
	t.Run("SinceSkipsAndRepeatsNothing", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.emit(10)
		if _, newest := r.stream("/api/events?since=7").rest(7); newest != 10 {
			t.Errorf("newest is %d", newest)
		}
		if _, newest := r.stream("/api/events?since=10").rest(10); newest != 10 {
			t.Errorf("newest is %d", newest)
		}
	})
	t.Run("NoneYet", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		if _, ok := r.stream("/api/events").next(); ok {
			t.Error("there is a line")
		}
	})
	t.Run("FollowWithoutSinceBeginsNow", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.emit(5)
		rd := r.stream("/api/events?follow=1") // its header is here: it follows
		r.emit(1)
		if l, _ := rd.next(); l.Seq != 6 {
			t.Errorf("the first line is %+v", l)
		}
	})
	t.Run("FollowSinceGoesOnFromThere", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.emit(5)
		rd := r.stream("/api/events?follow=1&since=3")
		for seq := uint64(4); seq <= 5; seq++ {
			if l, _ := rd.next(); l.Seq != seq {
				t.Errorf("got %+v, want seq %d", l, seq)
			}
		}
		r.emit(1)
		if l, _ := rd.next(); l.Seq != 6 {
			t.Errorf("got %+v, want seq 6", l)
		}
	})
	t.Run("HeartbeatsWhileIdle", func(t *testing.T) {
		r := start(t, control.Options{Heartbeat: 5 * time.Millisecond}, running("a"))
		r.emit(2)
		rd := r.stream("/api/events?follow=1")
		for range 2 {
			if l, _ := rd.next(); l.Type != "heartbeat" || l.Seq != 2 {
				t.Errorf("got %+v", l)
			}
		}
	})
	t.Run("LastLineOfAShutdown", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.emit(2)
		rd := r.stream("/api/events?follow=1&since=0")
		stopped := make(chan error, 1)
		go func() { stopped <- r.server.Shutdown(context.Background()) }()
		if last, newest := rd.rest(0); newest != 2 || last.End != "shutting_down" || last.Seq != 2 {
			t.Errorf("newest %d, last line %+v", newest, last)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	t.Run("HEADEnds", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		if resp, _ := r.do("HEAD", "/api/events?follow=1", ""); resp.StatusCode != 200 {
			t.Errorf("%d", resp.StatusCode)
		}
	})
	t.Run("StreamsAreCounted", func(t *testing.T) {
		r := start(t, control.Options{}, running("a"))
		r.stream("/api/events?follow=1")
		if n := want[provider.DaemonInfo](r, "GET", "/api/daemon", 200).Counters.Streams; n != 1 {
			t.Errorf("%d streams are open", n)
		}
	})
}

// A reader that stops reading is disconnected. When it reads again it finds complete lines without
// a gap, and a last one that says why and where to resume.
func TestSlowReaderFindsWholeLinesAndALastOne(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{SlowAfter: 50 * time.Millisecond}, running("a"))
	const events = 6000 // a megabyte: more than the kernel holds for it
	r.emit(events)
	for _, query := range []string{"since=0&follow=1", "since=0"} {
		t.Run(query, func(t *testing.T) {
			nc, err := net.Dial("unix", r.socket)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(time.Minute))
			fmt.Fprintf(nc, "GET /api/events?%s HTTP/1.1\r\nHost: x\r\n\r\n", query)
			resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			r.untilStreams(0) // given up, while nothing more was read

			last, newest := newReader(t, resp.Body).rest(0)
			if last.End != "slow_reader" || last.Seq != newest {
				t.Errorf("the last line is %+v after event %d", last, newest)
			}
			if newest == 0 || newest == events {
				t.Errorf("%d of %d events were read", newest, events)
			}
			for newest < events { // on a busy machine this reader may be slow too
				before := newest
				if _, newest = r.stream(fmt.Sprintf("/api/events?since=%d", before)).rest(before); newest == before {
					t.Fatalf("resuming since %d gives nothing", before)
				}
			}
		})
	}
}

// A client that reads past events that are damaged on the disk is told which are gone, and one
// that wants to begin with one of them gets an error.
func TestEvents_TellOfAGap(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("a"))
	const all = 2500 // more than are held in memory
	r.emit(all)
	r.damage(100, 101, 700)
	// The first reader is told that the store fails, and a new file is written.
	if e := want[provider.ErrorReply](r, "GET", "/api/events?since=99", 503).Error; e.Code != provider.StoreFailing {
		t.Errorf("met first: %+v", e)
	}
	if err := r.store.SyncBarrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	gaps := func(rd *reader, seq uint64) (told []string) {
		t.Helper()
		for seq < all {
			l, ok := rd.next()
			switch {
			case !ok:
				t.Fatalf("the stream ends after %d", seq)
			case l.Type == "gap" && l.First == seq+1 && l.Reason == "events_gone":
				told = append(told, fmt.Sprint(l.First, "-", l.Seq))
			case l.Type != "" || l.Seq != seq+1:
				t.Fatalf("%+v follows %d", l, seq)
			}
			seq = l.Seq
		}
		return told
	}
	for query, want := range map[string]string{
		"":                  "[100-101 700-700]",
		"?since=0":          "[100-101 700-700]",
		"?since=0&follow=1": "[100-101 700-700]",
		"?since=90":         "[100-101 700-700]",
		"?since=101":        "[700-700]",
		"?since=700":        "[]",
	} {
		since := uint64(0)
		fmt.Sscanf(query, "?since=%d", &since)
		if got := fmt.Sprint(gaps(r.stream("/api/events"+query), since)); got != want {
			t.Errorf("%s: told of %s, want %s", query, got, want)
		}
	}
	for _, since := range []int{99, 100, 699} {
		for _, follow := range []string{"", "&follow=1"} {
			e := want[provider.ErrorReply](r, "GET", fmt.Sprint("/api/events?since=", since, follow), 410).Error
			if e.Code != provider.EventsGone || e.Hint == "" {
				t.Errorf("since %d: %+v", since, e)
			}
		}
	}
	h := want[provider.HistoryReply](r, "GET", "/api/providers/a/history", 200)
	if len(h.Transitions) != all-3 || len(h.Gaps) != 2 || h.Gaps[0] != (provider.Gap{First: 100, Last: 101}) {
		t.Errorf("history has %d transitions and the gaps %v", len(h.Transitions), h.Gaps)
	}
}

// damage flips a bit in the events with these numbers, in the database's file.
func (r *rig) damage(seqs ...uint64) {
	r.t.Helper()
	path := filepath.Join(filepath.Dir(filepath.Dir(r.socket)), "p.db")
	data, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, seq := range seqs {
		text := fmt.Appendf(nil, `{"seq":%d,`, seq)
		damaged := append([]byte{text[0] ^ 1}, text[1:]...)
		if !bytes.Contains(data, text) {
			r.t.Fatalf("event %d is not in %s", seq, path)
		}
		data = bytes.ReplaceAll(data, text, damaged) // in each copy of the page
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(data, 0); err != nil {
		r.t.Fatal(err)
	}
}

// untilStreams waits until n streams are open.
func (r *rig) untilStreams(n int64) {
	r.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for want[provider.DaemonInfo](r, "GET", "/api/daemon", 200).Counters.Streams != n {
		if time.Now().After(deadline) {
			r.t.Fatalf("there never were %d streams", n)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	messages := func(rd *reader, n int) (out []string) {
		for range n {
			var l provider.LogLine
			if !rd.scan.Scan() || json.Unmarshal(rd.scan.Bytes(), &l) != nil {
				rd.t.Fatalf("line %q: %v", rd.scan.Text(), rd.scan.Err())
			}
			out = append(out, l.Message)
		}
		return out
	}
	t.Run("LastLines", func(t *testing.T) {
		r := start(t, control.Options{})
		for i := range 5 {
			r.lines.Accept("", 3, fmt.Sprint("line ", i))
		}
		rd := r.stream("/api/daemon/log?lines=2")
		if got := messages(rd, 2); got[0] != "line 3" || got[1] != "line 4" {
			t.Errorf("got %q", got)
		}
		if _, ok := rd.next(); ok {
			t.Error("there are more")
		}
	})
	t.Run("FollowGoesOnUntilTheShutdown", func(t *testing.T) {
		r := start(t, control.Options{})
		rd := r.stream("/api/daemon/log?follow=1&lines=0")
		r.lines.Accept("", 3, "hello")
		if got := messages(rd, 1); got[0] != "hello" {
			t.Errorf("got %q", got)
		}
		go r.server.Shutdown(context.Background())
		if last, _ := rd.rest(0); last.End != "shutting_down" {
			t.Errorf("the last line is %+v", last)
		}
	})
	t.Run("FallingBehindTheRingEndsIt", func(t *testing.T) {
		r := start(t, control.Options{SlowAfter: 30 * time.Second})
		nc, err := net.Dial("unix", r.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprint(nc, "GET /api/daemon/log?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for i := range 30_000 { // far more than ring and kernel hold together
			r.lines.Accept("", 3, fmt.Sprintf("line %d %0500d", i, 0))
		}
		var last line
		for rd := newReader(t, resp.Body); ; {
			l, ok := rd.next()
			if !ok {
				break
			}
			last = l
		}
		if last.End != "slow_reader" {
			t.Errorf("the last line is %+v", last)
		}
	})
}
