package control

import (
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// pick returns the rows that a request is about, from one view: those of names, each once
// and in the configuration's order, or all if there are no names. A name that is not in the
// view is an error, so that names never become none, which would mean all.
func pick(v store.View, names []string) ([]*store.Row, *provider.Error) {
	if len(names) == 1 {
		if row := v.Row(names[0]); row != nil {
			return []*store.Row{row}, nil
		}
		return nil, unknownProvider(v, names[0])
	}
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		if v.Row(name) == nil {
			return nil, unknownProvider(v, name)
		}
		wanted[name] = true
	}
	rows := make([]*store.Row, 0, v.Len())
	for i := range v.Len() {
		if row := v.At(i); len(names) == 0 || wanted[row.Status.ID] {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// idsOf is never nil: in a request for probes, nil means all.
func idsOf(rows []*store.Row) []string {
	ids := make([]string, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, row.Status.ID)
	}
	return ids
}

// all reports whether done holds for each of the rows that still exist.
func (s *Server) all(ids []string, done func(*store.Row) bool) bool {
	v := s.store.View()
	for _, id := range ids {
		if row := v.Row(id); row != nil && !done(row) {
			return false
		}
	}
	return true
}
