package doctor

import (
	"fmt"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// overdue is how long a message may wait for its receiver.
const overdue = 10 * time.Minute

// notifications says whether people are told.
func notifications(f *Facts) (all []Finding) {
	const subject = "notify"
	if f.Notify == nil || len(f.Notify.Sinks) == 0 {
		return nil
	}
	for i := range f.Notify.Sinks {
		if found, bad := sink(f, &f.Notify.Sinks[i]); bad {
			all = append(all, found)
		}
	}
	if len(all) == 0 {
		return one(subject, OK, counted(len(f.Notify.Sinks), "sink")+", and no message is late")
	}
	return all
}

// sink is what is wrong with one.
func sink(f *Facts, s *provider.NotifySink) (found Finding, bad bool) {
	found = Finding{Subject: "notify", ID: s.ID, Level: Warn}
	if s.LastError != "" {
		found.Details = []string{s.LastError}
	}
	try := "correct that, then: " + f.admin("providerctl notify test "+provider.ShellWord(s.ID))
	switch waits := f.Now.Sub(s.Oldest.Time); {
	case s.Dead > 0:
		found.Level, found.Summary = Fail, fmt.Sprintf("%s: %s given up", s.ID, counted(s.Dead, "message"))
		found.Fix = []string{try, "then: " + f.admin("providerctl notify retry "+provider.ShellWord(s.ID))}
	case !s.Oldest.IsZero() && s.QuietUntil.IsZero() && waits > overdue:
		found.Summary = fmt.Sprintf("%s: a message has waited for %s", s.ID, span(waits))
		found.Fix = []string{try}
	case s.LastError != "" && s.Waiting == 0:
		found.Summary, found.Fix = s.ID+": it cannot be used", []string{"correct that, then: " + f.admin("providerctl reload")}
	default:
		return found, false
	}
	return found, true
}
