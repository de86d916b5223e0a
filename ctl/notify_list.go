package ctl

import (
	"cmp"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// writeSinks shows the sinks, then the messages that wait or were given up.
func (a *app) writeSinks(reply *provider.NotifyReply) error {
	now := a.now().Local()
	sinks := &grid{titles: []string{"SINK", "KIND", "SENT", "WAITING", "DEAD", "LAST SENT", "TOLD OF", "NOTE"}, right: []bool{false, false, true, true, true, false, false, false}}
	messages := &grid{titles: []string{"MESSAGE", "SINK", "TYPE", "ABOUT", "AGE", "NEXT TRY", "ERROR"}, right: make([]bool, 7)}
	for i := range reply.Sinks {
		s := &reply.Sinks[i]
		sinks.rows = append(sinks.rows, []string{
			provider.Printable(s.ID), provider.Printable(s.Kind), strconv.FormatUint(s.Sent, 10), strconv.Itoa(s.Waiting), strconv.Itoa(s.Dead),
			ago(s.SentAt, now), or(some(s.Open)), or(sinkNote(s, now)),
		})
		for _, m := range s.Messages {
			messages.rows = append(messages.rows, []string{
				provider.Printable(m.ID), provider.Printable(s.ID), provider.Printable(string(m.Type)), or(some(m.About)),
				span(now.Sub(m.MadeAt.Time)), nextTry(&m, now), or(provider.Printable(cmp.Or(m.Error, m.Dead))),
			})
		}
	}
	sinks.drop("TOLD OF")
	sinks.drop("NOTE")
	messages.drop("ERROR")
	text := ""
	for _, g := range []*grid{sinks, messages} {
		if len(g.rows) == 0 {
			continue
		}
		widths := g.widths()
		squeeze(widths, a.term.width(), func(int) int { return 5 })
		if text != "" {
			text += "\n"
		}
		text += g.text(widths)
	}
	_, err := io.WriteString(a.Stdout, text)
	return err
}

// some are the first of many ids, and how many more there are.
func some(ids []string) string {
	const most = 3
	if len(ids) <= most+1 {
		return provider.Printable(strings.Join(ids, ", "))
	}
	return provider.Printable(strings.Join(ids[:most], ", ")) + " and " + strconv.Itoa(len(ids)-most) + " more"
}

// sinkNote is what is odd about a sink.
func sinkNote(s *provider.NotifySink, now time.Time) string {
	var notes []string
	if s.Dead > 0 {
		notes = append(notes, "see: providerctl notify retry "+provider.Printable(s.ID))
	}
	if !s.QuietUntil.IsZero() {
		notes = append(notes, "quiet until "+clock(s.QuietUntil, now))
	}
	if s.LastError != "" && len(s.Messages) == 0 {
		notes = append(notes, provider.Printable(s.LastError))
	}
	return strings.Join(notes, "; ")
}

func nextTry(m *provider.NotifyMessage, now time.Time) string {
	switch {
	case m.Dead != "":
		return "given up"
	case m.Tries == 0 && m.NextAt.IsZero():
		return "soon"
	}
	return in(m.NextAt, now)
}
