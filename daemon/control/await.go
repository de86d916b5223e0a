package control

import (
	"context"
	"time"

	"github.com/providerd/providerd/store"
)

// await blocks until done holds for each of the rows, and reports whether it does. It stops
// after wait, when the client disconnects, and when the server stops. It does not wait for
// rows that a reload removes.
func (s *Server) await(ctx context.Context, ids []string, wait time.Duration, done func(*store.Row) bool) bool {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.freeSlot()
		defer c.takeSlot() // many requests may have waited for the same change
	}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for _, id := range ids {
		for {
			changed := s.store.Changed(id) // taken before reading, so that no change is missed
			row := s.store.View().Row(id)
			if row == nil || done(row) {
				break
			}
			select {
			case <-changed:
				continue
			case <-timeout.C:
			case <-ctx.Done():
			case <-s.stopping:
			}
			return s.all(ids, done)
		}
	}
	return true
}
