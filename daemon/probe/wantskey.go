package probe

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// wantsKey is what to do about a server that rejects the key, or wants one if none is
// configured; empty if the reason's hint already says it. A complaint under another status
// than 401 is about a key that was sent, perhaps a gateway's own.
func (r *run) wantsKey() string {
	p := r.p.provider
	none := r.last != nil && r.last.status == 401 && p.Key.IsZero() && p.KeyFault == "" && r.withheld == "" && r.p.base.User == nil
	switch {
	case none && p.Hints[provider.Unauthorized] == "" && strings.HasPrefix(r.p.base.Scheme, "http"):
		set := ""
		if p.Client != nil && p.Client.KeyEnv != "" {
			set = "start providerd with " + p.Client.KeyEnv + " set, or "
		}
		return "the key is missing: " + set + "name an api_key_file in its configuration, then: providerctl reload"
	case r.p.kind.rejected != nil:
		return r.p.kind.rejected(p, r.p.base)
	}
	return ""
}
