package ctl

import (
	"errors"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// tooOld makes the error of a daemon that keeps no history over months say so.
func tooOld(err error) error {
	var e *provider.Error
	switch {
	case !errors.As(err, &e):
	case e.Code == provider.UnknownRoute,
		e.Code == provider.BadRequest && (e.Message == `unknown parameter "window"` || e.Message == `unknown parameter "step"`):
		return provider.Errorf(e.Code, "update the daemon, then restart it; see: providerctl version",
			"the daemon is older than this providerctl, and has no history over months: %s", e.Message)
	}
	return err
}

// ofHistory is tooOld for the history of a provider. If its beginning is gone, the hint is for
// history rather than events.
func ofHistory(id string, err error) error {
	var e *provider.Error
	if !errors.As(err, &e) || e.Code != provider.EventsGone {
		return tooOld(err)
	}
	own := "providerctl history " + id
	return provider.Errorf(e.Code, ownHint(e.Hint, own), "%s", e.Message)
}

// ownHint is a hint for another command: with the number of an event, if it has one.
func ownHint(hint, own string) string {
	if _, number, ok := strings.Cut(hint, "providerctl events --since "); ok {
		return "begin later: " + own + " --since " + number
	}
	return "give a time, or show the last 30 days: " + own
}
