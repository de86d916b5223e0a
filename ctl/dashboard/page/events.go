package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// A change is an event as it is shown.
type change struct {
	Seq      uint64
	Time     provider.Time
	ID       string
	Host     bool // it is about this machine
	From, To provider.State
	Reason   provider.Reason
	Story    string
	Latency  string
	IDs      string
	Hearsay  bool
	Action   string // what may have caused it, and who did it
}

func changeOf(e *provider.Event) change {
	c := change{
		Seq: e.Seq, Time: e.Time, ID: e.ID, Host: e.ID == provider.HostID, From: e.From, To: e.To, Reason: e.Reason,
		Story: ctl.Story(e.Doubt, e.Detail), IDs: strings.Join(e.IDs, ", "), Hearsay: e.Hearsay,
	}
	if e.LatencyMS > 0 {
		c.Latency = ctl.Latency(e.LatencyMS)
	}
	if e.Action != nil {
		c.Action = e.Action.String()
	}
	return c
}

// An eventsView is what changed, the newest first.
type eventsView struct {
	*frame
	ID     string
	State  string
	IDs    []string
	States []provider.State
	Events []change
	Older  string // the address of what came before; empty if there is none
}

// pageOfEvents is how many event numbers a view covers, and how many events it shows.
const pageOfEvents = 200

func (s *site) events(r *http.Request, f *frame) (any, error) {
	query := r.URL.Query()
	v := &eventsView{frame: f, ID: query.Get("provider_id"), State: query.Get("state"), States: provider.States[:]}
	for i := range f.Statuses {
		v.IDs = append(v.IDs, f.Statuses[i].ID)
	}
	before, _ := strconv.ParseUint(query.Get("before"), 10, 64) // 0, also for text that is not a number, begins with the newest
	events, err := s.changes(r.Context(), v.ID, before, f.Seq)
	if err != nil {
		return nil, err
	}
	v.fill(events, before)
	if v.Older != "" {
		v.Older = s.Base + "events?" + olderQuery(query, v.Older).Encode()
	}
	return v, nil
}

func olderQuery(query url.Values, before string) url.Values {
	next := url.Values{"before": {before}}
	for _, key := range []string{"provider_id", "state"} {
		if v := query.Get(key); v != "" {
			next.Set(key, v)
		}
	}
	return next
}

// changes returns events before a number, or up to the newest if it is 0, oldest first: those
// of one provider, or a page of all.
func (s *site) changes(ctx context.Context, id string, before, newest uint64) ([]provider.Event, error) {
	if id != "" && id != provider.HostID {
		h, err := s.Client.History(ctx, id)
		if err != nil {
			return nil, err
		}
		return h.Transitions, nil
	}
	end := newest
	if before > 0 {
		end = before - 1
	}
	since := uint64(0)
	if end > pageOfEvents {
		since = end - pageOfEvents
	}
	events, err := s.eventsAfter(ctx, &since)
	if code(err) == provider.EventsGone { // fewer are kept than a page
		events, err = s.eventsAfter(ctx, nil)
	}
	return events, err
}

func (s *site) eventsAfter(ctx context.Context, since *uint64) (all []provider.Event, err error) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	query := client.EventsQuery{Since: since, Note: func(provider.StreamNote) {}}
	for e, err := range s.Client.Events(ctx, query) {
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// fill keeps a page of events, the newest first, and finds out whether there can be older ones.
func (v *eventsView) fill(events []provider.Event, before uint64) {
	older := uint64(0)
	if v.ID == "" && len(events) >= pageOfEvents {
		older = events[0].Seq
	}
	for i := range slices.Backward(events) {
		e := &events[i]
		if before > 0 && e.Seq >= before || v.ID != "" && !e.Concerns(v.ID) || v.State != "" && string(e.To) != v.State {
			continue
		}
		if len(v.Events) == pageOfEvents {
			older = v.Events[pageOfEvents-1].Seq
			break
		}
		v.Events = append(v.Events, changeOf(e))
	}
	if older > 1 {
		v.Older = strconv.FormatUint(older, 10)
	}
}
