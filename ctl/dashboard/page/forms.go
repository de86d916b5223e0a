package page

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

// probesWait is how long a form waits for the probes that it started.
const probesWait = 15 * time.Second

// The actions of forms, by the last part of their address.
var actions = map[string]func(*site, context.Context, string) (*message, error){
	"refresh":  (*site).refresh,
	"diagnose": (*site).diagnose,
	"pause": func(s *site, ctx context.Context, id string) (*message, error) {
		_, err := s.Client.Pause(ctx, id)
		return &message{Text: id + " is paused, and keeps its last state until it is resumed"}, err
	},
	"resume": func(s *site, ctx context.Context, id string) (*message, error) {
		_, err := s.Client.Resume(ctx, id)
		return &message{Text: id + " is probed again"}, err
	},
	"reload":  (*site).reload,
	"start":   startAction(units.Start),
	"stop":    startAction(units.Stop),
	"restart": startAction(units.Restart),
}

// do carries out a form, and sends the browser back to the view it was on.
func (s *site) do(w http.ResponseWriter, r *http.Request) {
	const most = 64 << 10
	r.Body = http.MaxBytesReader(w, r.Body, most)
	act, known := actions[r.PathValue("what")]
	nonce := r.PostFormValue("nonce")
	switch {
	case !known:
		s.notFound(w, r)
		return
	case s.ReadOnly:
		s.fail(w, s.frame(r, ""), provider.Errorf(provider.Denied, "start it without --read-only", "this dashboard is read-only"))
		return
	case s.Nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(s.Nonce)) != 1:
		s.fail(w, s.frame(r, ""), provider.Errorf(provider.ForeignOrigin, "go back to the overview, and try again there", "this form is not from this dashboard"))
		return
	}
	id := r.PostFormValue("provider_id")
	done, err := act(s, r.Context(), id)
	if err != nil {
		p := s.problemOf(err)
		done = &message{Text: "could not " + r.PathValue("what"), Bad: true, Items: []item{{ID: id, Text: p.Message, Hint: p.Hint}}}
		if id != "" {
			done.Text += " " + id
		}
	}
	http.Redirect(w, r, s.withMessage(r.PostFormValue("back"), done), http.StatusSeeOther)
}

// withMessage is the address of one of our views that shows a message. Only the path and the
// query of an address are used, and a path that is not ours is replaced by the overview's.
func (s *site) withMessage(back string, m *message) string {
	u, err := url.Parse(back)
	if err != nil || !strings.HasPrefix(u.Path, s.Base) || strings.Contains(u.Path, "..") {
		u = &url.URL{Path: s.Base}
	}
	query := u.Query()
	if m != nil { // the view itself shows what is in progress
		query.Set("said", s.said.keep(m))
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: query.Encode()}).String()
}

// refresh probes one provider or, without an id, all of them, and waits for the results.
func (s *site) refresh(ctx context.Context, id string) (*message, error) {
	query := client.RefreshQuery{Wait: probesWait}
	if id != "" {
		query.IDs = []string{id}
	}
	reply, err := s.Client.Refresh(ctx, query)
	if reply == nil || err != nil && code(err) != provider.TimedOut {
		return nil, err
	}
	now := time.Now()
	s.spellAll(reply.Providers)
	o := outcomeOf(reply.Providers, reply.Generation, now)
	o.unanswered()
	return o.message, nil
}

// diagnose probes a provider on a new connection. The provider's view then shows that probe.
func (s *site) diagnose(ctx context.Context, id string) (*message, error) {
	reply, err := s.Client.Diagnose(ctx, client.DiagnoseQuery{ID: id, Wait: probesWait})
	switch {
	case err != nil:
		return nil, err
	case reply.Skipped != nil:
		return &message{Text: id + " was not probed; below is the last probe", Bad: true, Items: []item{{ID: id, Text: reply.Skipped.Message}}}, nil
	}
	return &message{Text: id + " was probed on a new connection: " + string(reply.Verdict.State) + ", " + string(reply.Verdict.Reason)}, nil
}

func (s *site) reload(ctx context.Context, _ string) (*message, error) {
	reply, err := s.Client.Reload(ctx)
	if err != nil {
		return nil, err
	}
	m := &message{Text: "the configuration was reloaded: " + reloaded(reply)}
	for _, warning := range reply.Warnings {
		m.add(item{Text: warning})
	}
	for _, setting := range reply.RestartNeeded {
		m.add(item{Text: setting, Hint: "restart providerd for it to take effect"})
	}
	return m, nil
}

// reloaded names what changed.
func reloaded(r *provider.ReloadReply) string {
	var parts []string
	for _, part := range []struct {
		what string
		ids  []string
	}{{"added", r.Added}, {"removed", r.Removed}, {"changed", r.Changed}, {"applied", r.Applied}} {
		if len(part.ids) > 0 {
			parts = append(parts, part.what+" "+strings.Join(part.ids, ", "))
		}
	}
	if len(parts) == 0 {
		return "nothing changed"
	}
	return cutText(strings.Join(parts, "; "), mostStory)
}

// messages are kept until a view shows them. They are not in its address, where anybody could
// put a text.
type messages struct {
	mu    sync.Mutex
	kept  map[string]*message
	order []string
}

const mostMessages = 64

func (m *messages) keep(said *message) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[string]*message{}
	}
	if len(m.order) == mostMessages {
		delete(m.kept, m.order[0])
		m.order = m.order[1:]
	}
	id := rand.Text()
	m.kept[id] = said
	m.order = append(m.order, id)
	return id
}

// take returns a message once.
func (m *messages) take(id string) *message {
	m.mu.Lock()
	defer m.mu.Unlock()
	said := m.kept[id]
	delete(m.kept, id)
	return said
}
