package notify

import (
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A standing is a cached list of current maintenance, so that reading status costs nothing.
type standing struct {
	list  []provider.Maintenance
	until time.Time // when it expires; zero: only by a change
}

// Maintenance returns all current maintenance, announced or from the configuration, ordered by
// provider id. Do not change it. It is cached while nothing begins or ends.
func (e *Engine) Maintenance() []provider.Maintenance {
	now := time.Now()
	if s := e.standing.Load(); s != nil && (s.until.IsZero() || now.Before(s.until)) {
		return s.list
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &standing{list: e.upkeep.now(now)}
	for _, m := range s.list {
		if s.until.IsZero() || m.Until.Before(s.until) {
			s.until = m.Until.Time
		}
	}
	if e.upkeep.planned != nil {
		s.until = now.Truncate(time.Minute).Add(time.Minute) // windows begin and end at full minutes
		s.list = e.withPlanned(s.list, now)
	}
	slices.SortStableFunc(s.list, func(a, b provider.Maintenance) int { return strings.Compare(a.ID, b.ID) })
	e.standing.Store(s)
	return s.list
}

// withPlanned adds the maintenance of the configuration, where it lasts longer.
func (e *Engine) withPlanned(list []provider.Maintenance, now time.Time) []provider.Maintenance {
	view := e.o.Store.View()
	for i := range view.Len() {
		id := view.At(i).Status.ID
		until := e.upkeep.planned(id, now)
		if until.IsZero() || slices.ContainsFunc(list, func(m provider.Maintenance) bool { return m.ID == id && !m.Until.Before(until) }) {
			continue
		}
		list = slices.DeleteFunc(list, func(m provider.Maintenance) bool { return m.ID == id })
		list = append(list, provider.Maintenance{ID: id, Until: provider.Time{Time: until}})
	}
	return list
}
