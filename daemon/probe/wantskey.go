package probe

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// wantsKey is what to do about a server that rejects the key, or wants one where none is
// configured; empty where the reason's hint says it. A complaint about a key under another
// status is of one that was sent: by a gateway, perhaps, whose own it is.
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
