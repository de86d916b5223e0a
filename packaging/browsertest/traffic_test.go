package browsertest

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// traffic is what a tab sends and receives, as the browser reports it.
type traffic struct {
	requests, beats atomic.Int64
}

// countTraffic counts from now on the requests of the page, and what comes in without one:
// parts of its stream of events.
func (w *tab) countTraffic() (requests, beats func() int64) {
	w.t.Helper()
	var c traffic
	if err := chromedp.Listen(w.ctx, func(event any) {
		switch event.(type) {
		case *network.EventRequestWillBeSent:
			c.requests.Add(1)
		case *network.EventDataReceived:
			c.beats.Add(1)
		}
	}); err != nil {
		w.t.Fatal(err)
	}
	w.enableNetwork()
	return c.requests.Load, c.beats.Load
}

// resumptions are the events after which the page asked for a stream, one for each time from
// now on; -1 for a stream of what comes next.
func (w *tab) resumptions() func() []int64 {
	w.t.Helper()
	var mu sync.Mutex
	var after []int64
	if err := chromedp.Listen(w.ctx, func(event any) {
		sent, ok := event.(*network.EventRequestWillBeSent)
		if !ok {
			return
		}
		at, err := url.Parse(sent.Request.URL)
		if err != nil || !strings.HasSuffix(at.Path, "/api/events") {
			return
		}
		since, err := strconv.ParseInt(at.Query().Get("since"), 10, 64)
		if err != nil {
			since = -1
		}
		mu.Lock()
		defer mu.Unlock()
		after = append(after, since)
	}); err != nil {
		w.t.Fatal(err)
	}
	w.enableNetwork()
	return func() []int64 {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(after)
	}
}

// enableNetwork makes the browser report what the tab sends and receives.
func (w *tab) enableNetwork() {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	}))
}

// An event is a line of the daemon's list.
type event struct {
	Seq      int64
	ID       string
	From, To string
}

// events are all that the daemon keeps.
func (d *daemon) events() (events []event) {
	d.t.Helper()
	res, err := d.http.Get("http://localhost/api/events")
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		d.t.Fatal("the events: ", res.Status)
	}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			d.t.Fatal(err)
		}
		if strings.TrimSpace(e.ID) != "" {
			events = append(events, e)
		}
	}
	return events
}

// streams are how many streams the daemon has open.
func (d *daemon) streams() int64 {
	d.t.Helper()
	var reply struct{ Counters struct{ Streams *int64 } }
	d.ask("GET", "/api/daemon", &reply)
	return *reply.Counters.Streams
}
