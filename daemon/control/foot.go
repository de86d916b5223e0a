package control

import (
	"slices"

	"github.com/providerd/providerd/store/provider"
)

// foot is what comes after the rows of a table: the maintenance and the slots of those with the
// ids, or of all.
func (s *Server) foot(ids []string) string {
	foot := provider.StatusReply{Slots: s.allSlots(ids)}
	if s.notifier != nil {
		for _, m := range s.notifier.Maintenance() {
			if ids == nil || slices.Contains(ids, m.ID) {
				foot.Maintenance = append(foot.Maintenance, m)
			}
		}
	}
	if foot.Maintenance == nil && foot.Slots == nil {
		return tableFoot
	}
	return "]" + member("maintenance", foot.Maintenance) + member("slots", foot.Slots) + tableFoot[1:]
}

// member is a list as a member of an object that has others before it; nothing if it is empty.
func member[T any](name string, list []T) string {
	if len(list) == 0 {
		return ""
	}
	text, err := encode([]byte(`,"`+name+`":`), list)
	if err != nil {
		return "" // strings, numbers and times can always be encoded
	}
	return string(text[:len(text)-1]) // without the end of the line
}
