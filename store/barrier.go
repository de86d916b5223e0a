package store

import (
	"context"
	"fmt"
)

// A barrier is a commit that somebody waits for. All who ask before the commit starts
// share it.
type barrier struct {
	done chan struct{} // closed when err is set
	err  error
}

// SyncBarrier waits until a commit has been synced to the disk, and so proves that the
// committer and the disk are alive. Any commit will do; if there is nothing else to
// write, only the head is written and synced. The limit on the rate of commits
// applies, so that this may take a second longer.
//
// The error is the commit's, or ctx's if that ends first. Only the latter, which wraps
// [context.DeadlineExceeded] or [context.Canceled], means that the disk or the
// committer hangs.
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
		return fmt.Errorf("commit to %s: not finished: %w", s.path, ctx.Err())
	}
}

// end tells those who wait how the commit went. A nil barrier has none.
func (b *barrier) end(err error) {
	if b != nil {
		b.err = err
		close(b.done)
	}
}
