package page

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// An outcome is how far a refresh has come, and its results so far.
type outcome struct {
	Total   int      `json:"total"`
	Done    int      `json:"done"`
	Waiting []string `json:"waiting"` // those whose probe is in progress
	*message
}

// A message is the result of an action, and names what failed.
type message struct {
	Text  string `json:"text"`
	Bad   bool   `json:"bad"`
	Items []item `json:"items,omitempty"`
	More  int    `json:"more,omitempty"` // items that are left out
}

// An item is a provider or setting that a message names, why, and what to do.
type item struct {
	ID   string `json:"id,omitempty"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// mostItems is how many items a message names.
const mostItems = 5

// progress reports, to the scripts, on the refresh with a generation.
func (s *site) progress(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Cache-Control", "no-store")
	generation, err := strconv.ParseUint(r.URL.Query().Get("generation"), 10, 64)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(provider.ErrorReply{Error: provider.Errorf(provider.BadRequest, "give that of a refresh", "the generation is missing")})
		return
	}
	reply, err := s.Client.Status(r.Context(), client.StatusQuery{IDs: r.URL.Query()["id"]})
	if err != nil {
		e := provider.Errorf(provider.Internal, "", "%v", err)
		if c := code(err); c != "" {
			p := s.problemOf(err)
			e = provider.Errorf(c, provider.Printable(p.Hint), "%s", provider.Printable(p.Message))
		}
		w.WriteHeader(e.Code.HTTPStatus())
		_ = json.NewEncoder(w).Encode(provider.ErrorReply{Error: e})
		return
	}
	s.spellAll(reply.Providers)
	_ = json.NewEncoder(w).Encode(outcomeOf(reply.Providers, generation, reply.TS.In(time.Local)))
}

// outcomeOf sums up a refresh. A row of its generation or a later one is a result; a provider
// that may not be probed is skipped.
func outcomeOf(rows []provider.Status, generation uint64, now time.Time) outcome {
	o := outcome{Total: len(rows), Waiting: []string{}, message: &message{}}
	failed, skipped, starting := 0, 0, 0
	for _, row := range ctl.ByUrgency(rows, now) { // the worst are named first
		s := &row
		it := item{ID: s.ID, Text: cutText(stateAndStory(s), mostStory), Hint: cutText(ctl.HintFor(s, now), mostHint)}
		fresh := s.Generation >= generation
		switch {
		case s.Paused, !fresh && s.RetryAt.After(now):
			skipped++
			it.Text = "not probed: " + it.Text
			if s.Paused {
				it.Text, it.Hint = "not probed: it is paused", "resume it"
			}
		case !fresh:
			o.Waiting = append(o.Waiting, s.ID)
			continue
		case failedRow(s, now):
			failed++
		case s.State == provider.StateStarting: // neither failed nor usable
			starting++
			o.Done++
			continue
		default:
			o.Done++
			continue
		}
		o.Done++
		o.add(it)
	}
	o.sum(rows, failed, skipped, starting)
	return o
}

// failedRow reports whether a refresh with this result names the provider.
func failedRow(s *provider.Status, now time.Time) bool {
	need, _ := ctl.NeedOf(s, now)
	return need != ctl.Usable && s.State != provider.StateStarting
}

func (m *message) add(it item) {
	it.Text, it.Hint = provider.Printable(it.Text), provider.Printable(it.Hint) // scripts show it as it is
	if len(m.Items) == mostItems {
		m.More++
		return
	}
	m.Items = append(m.Items, it)
}

func (o *outcome) sum(rows []provider.Status, failed, skipped, starting int) {
	defer func() { o.Text = provider.Printable(o.Text) }()
	o.Bad = failed > 0 || o.Done < o.Total
	switch {
	case o.Done < o.Total:
		o.Text = strconv.Itoa(o.Done) + " of " + strconv.Itoa(o.Total) + " answered in time"
	case o.Total == 1 && failed+skipped == 0:
		o.Text = rows[0].ID + ": " + stateAndStory(&rows[0])
	case o.Total == 1:
		o.Text = rows[0].ID + " cannot be used"
		if skipped > 0 {
			o.Text = rows[0].ID + " was not probed"
		}
	case failed+skipped+starting == 0:
		o.Text = "all " + strconv.Itoa(o.Total) + " can be used"
	default:
		o.Text = strconv.Itoa(o.Total-failed-skipped-starting) + " of " + strconv.Itoa(o.Total) + " can be used"
		if starting > 0 {
			o.Text += ", " + strconv.Itoa(starting) + " more starting"
		}
	}
}

// unanswered adds to a message those that did not answer in time.
func (o *outcome) unanswered() {
	for _, id := range o.Waiting {
		o.add(item{ID: id, Text: "no answer yet: its probe is still in progress"})
	}
}

func stateAndStory(s *provider.Status) string {
	text := string(s.State)
	if s.Reason != provider.OK {
		text += ", " + string(s.Reason)
	} else if s.LatencyMS > 0 {
		text += ", " + ctl.Latency(s.LatencyMS)
	}
	if story := ctl.Story(s.Doubt, s.Detail); story != "" && s.Reason != provider.OK {
		text += ": " + story
	}
	return text
}
