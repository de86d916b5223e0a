package page

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// A frame is what all views have in common: the head of the page, and a message.
type frame struct {
	View     string // of the navigation
	Title    string
	Host     string
	Version  string
	Nonce    string
	ReadOnly bool
	Back     string // the path and query of this view, for forms
	Reload   int    // seconds until a browser without scripts asks again

	Now      time.Time // the daemon's
	Seq      uint64    // every event up to it is in the view
	Order    string    // changes when a reload adds, removes, moves or alters a provider
	Total    int
	Usable   int
	Needs    []ctl.Need
	Pick     *ctl.Pick
	Message  *message // about the last action
	Problem  *problem // why there is nothing to show
	Statuses []provider.Status

	Maintained map[string]provider.Time // until when providers are in maintenance
	Slots      []provider.SlotsReply
}

// NowMS is the daemon's time for scripts.
func (f *frame) NowMS() int64 { return f.Now.UnixMilli() }

// A problem is why a view cannot be shown.
type problem struct{ Message, Hint string }

func (s *site) problemOf(err error) *problem {
	return &problem{Message: messageOf(err), Hint: s.spell(hintOf(err))}
}

// messageOf is what went wrong, without what to do.
func messageOf(err error) string {
	if e := (*provider.Error)(nil); errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// hintOf is what to do, for any socket.
func hintOf(err error) string {
	if e := (*provider.Error)(nil); errors.As(err, &e) {
		return e.Hint
	}
	return provider.HintOf(err)
}

// spell adapts the commands in a hint to the reader.
func (s *site) spell(hint string) string {
	if s.Spell == nil || hint == "" {
		return hint
	}
	return s.Spell(hint)
}

// spellAll adapts the hints of rows.
func (s *site) spellAll(rows []provider.Status) {
	for i := range rows {
		rows[i].Hint = s.spell(rows[i].Hint)
	}
}

// frame is the frame of a view before the daemon is asked.
func (s *site) frame(r *http.Request, view string) *frame {
	return &frame{
		View: view, Host: s.Host, Version: s.Version, Nonce: s.Nonce, ReadOnly: s.ReadOnly,
		Back: s.back(r), Reload: 15, Now: time.Now(), Message: s.said.take(r.URL.Query().Get("said")),
	}
}

// back is the address of the view, without parameters that count only once.
func (s *site) back(r *http.Request) string {
	query := r.URL.Query()
	query.Del("said")
	query.Del("id")
	if len(query) == 0 {
		return r.URL.EscapedPath()
	}
	return r.URL.EscapedPath() + "?" + query.Encode()
}

// ask reads the rows, and fills a frame with them and their sums.
func (s *site) ask(ctx context.Context, f *frame) error {
	reply, err := s.Client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return err
	}
	s.spellAll(reply.Providers)
	f.Statuses, f.Seq, f.Total = reply.Providers, reply.Seq, len(reply.Providers)
	f.Now = reply.TS.In(time.Local)
	f.Order = orderOf(reply.Providers)
	f.Maintained, f.Slots = maintained(reply.Maintenance, f.Now), reply.Slots
	s.pulse.note(reply.Providers)
	for _, need := range ctl.Needs(reply.Providers, f.Now) {
		if need.Name == ctl.Usable {
			f.Usable = need.Count
			continue
		}
		f.Needs = append(f.Needs, need)
	}
	if pick, ok := ctl.PickFrom(reply); ok {
		f.Pick = &pick
	}
	return nil
}

// maintained is until when each of the providers is in maintenance that lasts.
func maintained(all []provider.Maintenance, now time.Time) map[string]provider.Time {
	until := make(map[string]provider.Time, len(all))
	for _, m := range all {
		if m.Until.After(now) {
			until[m.ID] = m.Until
		}
	}
	return until
}

// orderOf is a short text that differs between configurations. No event tells of a change of
// their order or addresses.
func orderOf(rows []provider.Status) string {
	h := fnv.New64a()
	for i := range rows {
		fmt.Fprintf(h, "%s %s %s %t\n", rows[i].ID, rows[i].Kind, rows[i].Endpoint, rows[i].Paused)
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// fail shows why a view cannot be shown. The scripts recognise it by its status, and keep
// what they have.
func (s *site) fail(w http.ResponseWriter, f *frame, err error) {
	status := http.StatusInternalServerError
	var e *provider.Error
	if errors.As(err, &e) {
		status = e.Code.HTTPStatus()
	}
	f.Problem, f.Reload = s.problemOf(err), 3
	s.show(w, status, f)
}

// stamp is a time in the past, in local time.
func stamp(t provider.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// cutText shortens what a row shows; the provider's own view has all of it.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return provider.CutLine(text, most)
}

// countdown is the remaining time, as a clock that runs down: 00:41, 1:02:03. The scripts write
// it in the same way.
func countdown(d time.Duration) string {
	seconds := int(max(0, d+time.Second-1) / time.Second)
	if seconds >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
