package page

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A sink is one way in which people are told of trouble.
type sink struct {
	ID, Kind            string
	Sent, Waiting, Dead string
	Last                string // when a message was accepted
	Open                string // the providers whose trouble was told and is not over
	Error               string // of the last message that was not accepted
	Hint                string // what to do; empty if nothing was given up
	Quiet               provider.Time
}

// addSinks reads who is told of trouble. A daemon without that route tells nobody.
func (s *site) addSinks(r *http.Request, v *daemonView) {
	reply, err := s.Client.Notifications(r.Context())
	if err != nil {
		if code(err) != provider.UnknownRoute {
			v.NoSinks = messageOf(err)
		}
		return
	}
	for i := range reply.Sinks {
		n := &reply.Sinks[i]
		shown := sink{
			ID: n.ID, Kind: n.Kind, Sent: strconv.FormatUint(n.Sent, 10), Waiting: strconv.Itoa(n.Waiting), Dead: strconv.Itoa(n.Dead),
			Open: strings.Join(n.Open, ", "), Error: cutText(n.LastError, mostStory), Quiet: n.QuietUntil, Last: "never",
		}
		if !n.SentAt.IsZero() {
			shown.Last = ctl.Span(v.Now.Sub(n.SentAt.Time)) + " ago"
		}
		if n.Dead > 0 {
			shown.Hint = s.spell("see: providerctl notify retry " + n.ID)
		}
		v.Sinks = append(v.Sinks, shown)
	}
}
