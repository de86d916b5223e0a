package store

import (
	"time"

	"github.com/providerd/providerd/store/rollup"
)

// A PastOf is a provider's history in a time.
type PastOf struct {
	Buckets []rollup.Bucket // as of [Store.Hours] or [Store.Days]
	Record
}

// Pasts returns the histories of several providers, in the order of their ids: the hours or
// days that begin in [from, until), and the changes since from. All are of the same moment.
// It waits for the disk like Hours.
func (s *Store) Pasts(ids []string, step time.Duration, from, until time.Time) ([]PastOf, error) {
	var all []PastOf
	err := s.readHistory(func(r *historyReader) error {
		found := make([]PastOf, len(ids))
		for i, id := range ids {
			found[i] = PastOf{r.buckets(id, step, from, until), r.record(id, from)}
		}
		all = found
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
