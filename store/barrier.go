package store

import (
	"context"
	"fmt"
)

// A barrier is a commit that somebody waits for. Those who come before it is
// taken share it.
type barrier struct {
	done chan struct{} // closed when err is set
	err  error
}

// SyncBarrier waits until a commit has been synced to the disk, whether there was
// anything to write or not, and so proves that the committer and the disk are
// alive. A commit of other people's changes will do; alone it is one that
// writes the head anew and syncs it: no row, event or generation is touched. It takes its place in the
// pace of the commits, so that it may wait a second for those before it.
//
// The error is the commit's own, or ctx's when that ends first. Only the latter,
// which wraps [context.DeadlineExceeded] or [context.Canceled], means that the
// disk or the committer hangs.
func (s *Store) SyncBarrier(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return fmt.Errorf("commit to %s: it is closed", s.path)
	}
	if s.pending.barrier == nil {
		s.pending.barrier = &barrier{done: make(chan struct{})}
	}
	b := s.pending.barrier
	s.mu.Unlock()
	s.wake()
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("commit to %s: no end of it: %w", s.path, ctx.Err())
	}
}

// end tells those who wait for it how the commit went; nil is nobody's.
func (b *barrier) end(err error) {
	if b != nil {
		b.err = err
		close(b.done)
	}
}
