package ctl

import (
	"errors"

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
