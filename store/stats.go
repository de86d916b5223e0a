package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
)

// Stats is how the database is doing.
type Stats struct {
	Commits       uint64 // since Open
	CommitsFailed uint64
	CommitsTook   Durations // those that failed too
	LastError     string    // why the last commit failed; empty when it worked
	Bytes         int64     // the file's size
	FreePages     int       // pages in it that the next commits may use
	Events        uint64    // that are kept
	Waiting       int       // events that wait for a commit
}

// counts are kept apart from the database, so that asking waits for nothing.
type counts struct {
	commits, failed atomic.Uint64
	lastError       atomic.Pointer[string]
	bytes           atomic.Int64
}

// Stats returns how the database is doing.
func (s *Store) Stats() Stats {
	inside := s.db.Stats()
	journal := s.journal.Load()
	s.mu.Lock()
	waiting, took := len(s.pending.changes), s.took
	if s.inFlight != nil {
		waiting += len(s.inFlight.changes)
	}
	s.mu.Unlock()
	stats := Stats{
		Commits:       s.counts.commits.Load(),
		CommitsFailed: s.counts.failed.Load(),
		CommitsTook:   took,
		Bytes:         s.counts.bytes.Load(),
		FreePages:     inside.FreePageN + inside.PendingPageN,
		Events:        journal.newest + 1 - journal.oldest,
		Waiting:       waiting,
	}
	if text := s.counts.lastError.Load(); text != nil {
		stats.LastError = *text
	}
	return stats
}

// Check examines the whole file, with bbolt's own consistency check among others,
// and returns everything that is wrong with it. Commits wait meanwhile; reads do
// not.
func (s *Store) Check(ctx context.Context) error {
	s.disk.Lock() // bbolt's check must not run beside a writer
	defer s.disk.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check %s: %w", s.path, err)
	}
	// First our own, on a damage that bbolt's might not survive.
	if err := verifyFile(s.file); err != nil {
		return fmt.Errorf("check %s: %w", s.path, err)
	}
	var wrong []error
	err := guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			// Until the end, also when nobody waits for it any more: the check
			// reads the transaction for as long as it runs.
			for err := range tx.Check() {
				wrong = append(wrong, err)
			}
			return nil
		})
	})
	if err := errors.Join(append(wrong, err, ctx.Err())...); err != nil {
		return fmt.Errorf("check %s: %w", s.path, err)
	}
	return nil
}
