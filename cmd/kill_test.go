package cmd_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// Promise 4: what a client has seen survives kill -9. A daemon is killed at random moments
// during refreshes, once a follower of its events has seen one. Each time the database
// opens and passes its check, every event that the follower saw is there unchanged, and no
// seq is repeated or skipped.
func TestPromise4_SeenMeansDurable(t *testing.T) {
	t.Parallel()
	const kills, providers = 50, 30
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%3 == 0 { // so that every provider's state changes all the time
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	config := patiently + "interval = \"1s\"\nfall = 1\n"
	for i := range providers {
		config += fmt.Sprintf("[[provider]]\nid = \"p%d\"\nkind = \"http\"\nbase_url = %q\n", i, server.URL)
	}
	p := newProcess(t, config)
	database := filepath.Join(p.dir, "state", "providerd.db")

	var seen []provider.Event // by the follower, over all lives
	for life := range kills {
		p.start()
		followed, first := make(chan []provider.Event, 1), make(chan struct{})
		go func(since uint64) { followed <- p.follow(since, sync.OnceFunc(func() { close(first) })) }(newestOf(seen))
		go func() {
			for p.do("POST", "/api/providers/refresh", nil) == http.StatusAccepted {
			}
		}()
		select {
		case <-first:
		case <-p.ended:
			t.Fatalf("life %d: it ended by itself: %v", life, p.err)
		case <-time.After(time.Minute):
			t.Fatalf("life %d: the follower sees no event", life)
		}
		<-time.After(time.Duration(rand.IntN(150)) * time.Millisecond) // the random moment
		p.kill()
		p.http.CloseIdleConnections()
		for _, e := range <-followed {
			if last := newestOf(seen); last != 0 && e.Seq != last+1 {
				t.Fatalf("life %d: the follower saw seq %d after %d", life, e.Seq, last)
			}
			seen = append(seen, e)
		}
		stored := checkDatabase(t, database)
		if len(stored) < len(seen) {
			t.Fatalf("life %d: %d events seen, %d stored", life, len(seen), len(stored))
		}
		if diff := cmp.Diff(seen, stored[:len(seen)]); diff != "" {
			t.Fatalf("life %d: what was seen is not what was stored:\n%s", life, diff)
		}
	}
	t.Logf("%d kills, %d events seen", kills, len(seen))
}

// newestOf is the seq of the last event; 0 if there is none.
func newestOf(events []provider.Event) uint64 {
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].Seq
}

// follow collects events until the daemon is gone, and signals each. A line that was
// truncated by the kill was not seen.
func (p *process) follow(since uint64, saw func()) []provider.Event {
	res, err := p.http.Get(fmt.Sprintf("http://localhost/api/events?follow=1&since=%d", since))
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	var events []provider.Event
	for lines := bufio.NewReader(res.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return events
		}
		if strings.Contains(line, `"type"`) {
			continue // a heartbeat
		}
		var e provider.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			p.t.Errorf("event %q: %v", line, err)
		}
		events = append(events, e)
		saw()
	}
}

// checkDatabase opens the file like the next daemon, and returns all events.
func checkDatabase(t *testing.T, path string) []provider.Event {
	t.Helper()
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if e.Seq != events[0].Seq+uint64(i) {
			t.Fatalf("event %d has seq %d, and the first has %d", i, e.Seq, events[0].Seq)
		}
	}
	return events
}
