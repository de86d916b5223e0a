package ctl

import (
	"errors"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// What an older daemon refuses is told as that, and other errors stay.
func TestHistory_OlderDaemon(t *testing.T) {
	for _, err := range []error{
		provider.Errorf(provider.UnknownRoute, "try GET /api/providers/status", "no such route: %q", "/api/history"),
		provider.Errorf(provider.BadRequest, "this route takes: from, since", "unknown parameter %q", "window"),
		provider.Errorf(provider.BadRequest, "this route takes: from, since", "unknown parameter %q", "step"),
	} {
		var e *provider.Error
		if !errors.As(tooOld(err), &e) || !strings.Contains(e.Message, "older") || !strings.Contains(e.Hint, "providerctl version") {
			t.Errorf("%v: %+v", err, e)
		}
	}
	other := provider.Errorf(provider.BadRequest, "write 1h or 1d", "step is neither: %q", "7h")
	if tooOld(other) != other || tooOld(nil) != nil {
		t.Error("another error has changed")
	}
}
