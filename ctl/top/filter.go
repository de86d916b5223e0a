package top

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// matches reports whether every word of a filter occurs in a row's texts, in upper or lower
// case.
func matches(s *provider.Status, filter string) bool {
	if filter == "" {
		return true
	}
	text := strings.ToLower(strings.Join([]string{
		s.ID, s.Kind, string(s.Type), string(s.State), string(s.Reason), s.Endpoint, s.Detail,
	}, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(filter)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
