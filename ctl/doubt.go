package ctl

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A story is what a row or a verdict says in addition to its reason.
type story struct {
	doubt  *provider.Doubt // seen since, but not enough to change it; nil: nothing
	detail string          // about the reason, without the doubt
}

// storyOf takes the doubt from its field or, for an older daemon, from the detail, which
// was nothing else then.
func storyOf(doubt *provider.Doubt, detail string) story {
	if doubt == nil {
		if older := provider.ParseDoubt(detail); older != nil {
			return story{doubt: older}
		}
	}
	return story{doubt, detail}
}

// doubtOf is a row's doubt; nil if there is none.
func doubtOf(s *provider.Status) *provider.Doubt { return storyOf(s.Doubt, s.Detail).doubt }

// String puts the doubt first, because that is the news.
func (s story) String() string {
	if s.doubt == nil {
		return s.detail
	}
	return strings.TrimSuffix(s.doubt.String()+"; "+s.detail, "; ")
}
