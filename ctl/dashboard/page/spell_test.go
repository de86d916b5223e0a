package page_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl/dashboard/page"
	"github.com/providerd/providerd/store/provider"
)

// What to type names the socket of this dashboard, in each place that says what to type: rows,
// cards, messages, and the reason why there is nothing to show.
func TestViews_HintsAreForThisSocket(t *testing.T) {
	d := startDaemon(t, provider.Status{ID: "a", State: provider.StateError, Reason: provider.Unauthorized, Generation: 1, Hint: "replace the key, then: providerctl refresh a"})
	d.admin = false
	d.sinks = []provider.NotifySink{{ID: "phone", Dead: 1}}
	h := views(d, func(o *page.Options) {
		o.Spell = func(hint string) string { return strings.ReplaceAll(hint, "providerctl ", "providerctl --socket /s ") }
	})
	for _, path := range []string{"", "providers/a"} {
		mustHave(t, path, text(t, get(t, h, base+path, 200)), "providerctl --socket /s refresh a")
	}
	mustHave(t, "the outcome", get(t, h, base+"progress.json?generation=1", 200), "providerctl --socket /s refresh a")
	mustHave(t, "the daemon", text(t, get(t, h, base+"daemon", 200)), "sudo providerctl --socket /s logs", "providerctl --socket /s notify retry phone")
	said := get(t, h, post(h, base+"do/reload", "nonce", "n0nce", "back", base).Header().Get("Location"), 200)
	mustHave(t, "a message", text(t, said), "sudo providerctl --socket /s reload")
}
