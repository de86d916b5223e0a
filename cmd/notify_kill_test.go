package cmd_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/notify/book"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A daemon and the receivers of its messages are killed at random moments. Every beginning and
// every end of trouble arrives at every receiver, in order; no message has two ids, and no id
// two messages; and nothing arrives again once the database knows that it was accepted.
func TestNotify_KilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	moments, providers := 200, 120
	if testing.Short() {
		moments, providers = 30, 20
	}
	var broken sync.Map // ids of providers that fail
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, fails := broken.Load(strings.Trim(r.URL.Path, "/")); fails {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	phone, pager := newReceiver(t), newReceiver(t)
	config := patiently + "interval = \"1s\"\nfall = 1\n"
	for id, r := range map[string]*receiver{"phone": phone, "pager": pager} {
		config += fmt.Sprintf("[[notify]]\nid = %q\nkind = \"webhook\"\nurl = \"http://%s/\"\ngather = \"0s\"\nmost = 1000\n", id, r.addr)
	}
	var ids []string
	for i := range providers {
		ids = append(ids, fmt.Sprint("p", i))
		config += fmt.Sprintf("[[provider]]\nid = \"p%d\"\nkind = \"http\"\nbase_url = \"%s/p%d\"\n", i, server.URL, i)
	}
	p := newProcess(t, config)
	p.level = "info"
	database := filepath.Join(p.dir, "state", "providerd.db")
	flips := map[string]int{}
	p.start()
	p.until(func() bool { // all are usable
		var reply provider.StatusReply
		return p.do("GET", "/api/providers/status", &reply) == http.StatusOK && !slices.ContainsFunc(reply.Providers,
			func(st provider.Status) bool { return st.State != provider.StateRunning })
	})
	for moment := range moments {
		most := 2
		if moment > moments*3/4 { // a storm
			most = 6
		}
		for range rand.IntN(most) {
			// At most two episodes each: a provider that changes more often than that is told of once.
			if id := ids[rand.IntN(len(ids))]; flips[id] < 4 {
				if flips[id]++; flips[id]%2 == 1 {
					broken.Store(id, true)
				} else {
					broken.Delete(id)
				}
			}
		}
		phone.treat(rand.IntN(6))
		pager.treat(rand.IntN(6))
		go p.do("POST", "/api/providers/refresh", nil)
		<-time.After(time.Duration(rand.IntN(150)) * time.Millisecond) // the random moment
		what := rand.IntN(4)
		if what == 0 || what == 1 {
			[]*receiver{phone, pager}[what].kill()
		}
		if what != 0 {
			p.kill()
			p.http.CloseIdleConnections()
			s, err := store.Open(database, store.Options{})
			if err != nil {
				t.Fatalf("moment %d: %v", moment, err)
			}
			phone.recall(outboxOf(t, s, "phone"))
			pager.recall(outboxOf(t, s, "pager"))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		phone.revive()
		pager.revive()
		if what != 0 {
			p.start()
		}
	}
	phone.treat(0)
	pager.treat(0)
	broken.Clear()
	p.do("POST", "/api/providers/refresh", nil)
	var events []provider.Event
	var missing string
	for deadline := time.Now().Add(time.Minute); ; <-time.After(100 * time.Millisecond) {
		events = p.allEvents()
		missing = owed(events, phone) + owed(events, pager)
		if missing == "" && usableAgain(events) || time.Now().After(deadline) {
			break
		}
	}
	if missing != "" {
		t.Error(missing)
	}
	for _, r := range []*receiver{phone, pager} {
		for _, complaint := range r.complaints() { // the first is the one to understand
			t.Error(complaint)
		}
	}
	t.Logf("%d events; %d messages, %d of them digests, arrived %d times",
		len(events), len(phone.said)+len(pager.said), phone.digests+pager.digests, phone.arrivals+pager.arrivals)
}

// allEvents are all that the daemon has.
func (p *process) allEvents() (events []provider.Event) {
	res, err := p.http.Get("http://localhost/api/events")
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	for lines := json.NewDecoder(res.Body); ; {
		var e provider.Event
		if lines.Decode(&e) != nil {
			return events
		}
		events = append(events, e)
	}
}

// usableAgain reports whether no provider is in trouble at the end.
func usableAgain(events []provider.Event) bool {
	last := map[string]provider.State{}
	for _, e := range events {
		last[e.ID] = e.To
	}
	return !slices.ContainsFunc(slices.Collect(maps.Values(last)), func(s provider.State) bool { return s != provider.StateRunning })
}

// An episode is trouble of a provider, according to the events or to what a receiver was told.
type episode struct {
	since, until string // empty: not known, or not yet
	over         bool
}

func (e episode) String() string { return fmt.Sprintf("%q to %q", e.since, e.until) }

// owed says which beginnings and ends among the events no message tells of. In digests some
// times are not known.
func owed(events []provider.Event, r *receiver) string {
	real := map[string][]episode{}
	for _, e := range events {
		list := real[e.ID]
		open := len(list) > 0 && !list[len(list)-1].over
		switch usable := e.To == provider.StateRunning; {
		case e.From == provider.StateUnknown:
		case !usable && !open:
			real[e.ID] = append(list, episode{since: instant(e.Time)})
		case usable && open:
			list[len(list)-1].until, list[len(list)-1].over = instant(e.Time), true
		}
	}
	if len(real) == 0 {
		return "no provider was ever in trouble"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	same := func(a, b episode) bool {
		return a.over == b.over && (a.since == b.since || b.since == "") && (a.until == b.until || b.until == "")
	}
	var missing []string
	for id, list := range real {
		if !slices.EqualFunc(list, r.told[id], same) {
			missing = append(missing, fmt.Sprintf("%s: %s was in trouble %v, and was told %v", r.addr, id, list, r.told[id]))
		}
	}
	return strings.Join(missing, "\n")
}

// instant is a time as far as messages and events have it; empty: none.
func instant(t provider.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05.000")
}

// outboxOf is what the database has still to send.
func outboxOf(t *testing.T, s *store.Store, sink string) map[string]bool {
	text := s.Notes()["sink/"+sink]
	if text == nil {
		return nil
	}
	b, err := book.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	waiting := map[string]bool{}
	for _, m := range b.Outbox {
		waiting[m.ID] = true
	}
	return waiting
}

// A receiver is a server of webhooks that can be killed, and that believes what arrives.
type receiver struct {
	t    *testing.T
	addr string

	mu       sync.Mutex
	server   *http.Server
	ended    chan struct{}
	fate     int
	arrivals int
	digests  int
	said     map[string]string // by id
	accepted map[string]bool   // ids that were answered with 2xx
	finished map[string]bool   // of those, which the database has not to send any more
	told     map[string][]episode
	wrong    []string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{
		t: t, addr: ownAddress(), said: map[string]string{}, accepted: map[string]bool{},
		finished: map[string]bool{}, told: map[string][]episode{},
	}
	r.revive()
	t.Cleanup(r.kill)
	return r
}

// ownAddress is one that nobody else uses: between a kill and its revival, another program can
// take the receiver's port at 127.0.0.1, or at all addresses if it is one that the system gives.
func ownAddress() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1:0" // the only address of this machine's own
	}
	return fmt.Sprintf("127.%d.%d.%d:%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250), 10000+rand.IntN(20000))
}

// revive starts the server, unless it runs.
func (r *receiver) revive() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server != nil {
		return
	}
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr = l.Addr().String()
	s, ended := &http.Server{Handler: r}, make(chan struct{})
	r.server, r.ended = s, ended
	go func() { defer close(ended); _ = s.Serve(l) }()
}

// kill ends the server and all its connections, whatever is half said.
func (r *receiver) kill() {
	r.mu.Lock()
	s := r.server
	r.server = nil
	r.mu.Unlock()
	if s != nil {
		_ = s.Close()
		<-r.ended
	}
}

// treat sets how requests are answered.
func (r *receiver) treat(fate int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fate = fate
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return // it was killed in the middle of a request
	}
	r.mu.Lock()
	fate := r.fate
	var n provider.Notice
	if err := json.Unmarshal(text, &n); err != nil {
		r.wrong = append(r.wrong, fmt.Sprintf("%v: %s", err, text))
	}
	if fate != 1 {
		r.arrived(&n, string(text))
	}
	answers := fate != 1 && fate != 2 && fate != 3
	if answers {
		r.accepted[n.ID] = true
	}
	r.mu.Unlock()
	switch {
	case fate == 1: // it did not arrive
		w.WriteHeader(http.StatusServiceUnavailable)
	case fate == 2: // it did, and the answer is wrong
		w.WriteHeader(http.StatusInternalServerError)
	case fate == 3: // it did, and there is no answer
		<-req.Context().Done()
	case fate == 4:
		<-time.After(50 * time.Millisecond)
	}
}

// arrived notes what a message says. The caller holds mu.
func (r *receiver) arrived(n *provider.Notice, text string) {
	r.arrivals++
	if r.finished[n.ID] {
		r.wrong = append(r.wrong, "it arrived again, though the database knew that it was accepted: "+text)
	}
	if was, known := r.said[n.ID]; known {
		if was != text {
			r.wrong = append(r.wrong, fmt.Sprintf("one id, two messages:\n%s\n%s", was, text))
		}
		return
	}
	r.said[n.ID] = text
	if n.Type != provider.NoticeDigest {
		r.item(n.Type, n.Provider, n.Since, n.Until, text)
		return
	}
	r.digests++
	times := map[string]provider.NoticeItem{}
	for _, item := range n.Worst {
		times[string(item.Type)+" "+item.Provider] = item
	}
	for _, part := range []struct {
		kind provider.NoticeType
		ids  []string
	}{{provider.NoticeClosed, n.Closed}, {provider.NoticeMerged, n.Merged}, {provider.NoticeOpened, n.Opened}} {
		for _, id := range part.ids {
			item := times[string(part.kind)+" "+id]
			r.item(part.kind, id, item.Since, item.Until, text)
		}
	}
}

// item notes what is told of one provider. The caller holds mu.
func (r *receiver) item(kind provider.NoticeType, id string, since, until provider.Time, text string) {
	list := r.told[id]
	open := len(list) > 0 && !list[len(list)-1].over
	known := open && (list[len(list)-1].since == instant(since) || since.IsZero())
	switch {
	case kind == provider.NoticeOpened && !open:
		r.told[id] = append(list, episode{since: instant(since)})
	case kind == provider.NoticeClosed && known, kind == provider.NoticeMerged && known:
		list[len(list)-1].until, list[len(list)-1].over = instant(until), true
	case kind == provider.NoticeMerged && !open: // nobody was told that it began
		r.told[id] = append(list, episode{instant(since), instant(until), true})
	default:
		r.wrong = append(r.wrong, fmt.Sprintf("%s of %s after %v: %s", kind, id, list, text))
	}
}

// recall notes, while no daemon runs, what the database has still to send.
func (r *receiver) recall(waiting map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.accepted {
		if !waiting[id] {
			r.finished[id] = true
		}
	}
}

func (r *receiver) complaints() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wrong[:min(len(r.wrong), 5)]
}
