package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Stats are figures of the database.
type Stats struct {
	Commits       uint64 // since Open
	CommitsFailed uint64
	CommitsTook   Durations // including failed ones
	Compacted     uint64    // how often the file was compacted
	NotCompacted  uint64    // how often that failed
	LastError     string    // what is wrong with the database now; empty if the last commit worked
	Bytes         int64     // the file's size
	FreePages     int       // free pages in it
	Events        uint64    // kept
	Waiting       int       // events waiting for a commit
	Histories     int       // providers with a history, configured or not

	// Hanging is what has waited for the disk the longest, such as "a commit to PATH",
	// and HangingFor for how long; empty if nothing waits.
	Hanging    string
	HangingFor time.Duration
}

// counts are kept apart from the database, so that reading them never waits.
type counts struct {
	commits, failed         atomic.Uint64
	compacted, notCompacted atomic.Uint64
	lastError               atomic.Pointer[string]
}

// Stats returns the database's figures. It does not wait.
func (s *Store) Stats() Stats {
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
		Compacted:     s.counts.compacted.Load(),
		NotCompacted:  s.counts.notCompacted.Load(),
		Bytes:         s.file.Load().size.Load(),
		FreePages:     s.file.Load().freePages(),
		Events:        journal.newest + 1 - journal.oldest,
		Waiting:       waiting,
		Histories:     s.ledger.count(),
	}
	if text := s.counts.lastError.Load(); text != nil {
		stats.LastError = *text
	}
	stats.Hanging, stats.HangingFor = s.hanging()
	return stats
}

// Check examines the whole file, every page and every value, and returns what is wrong
// with it. Commits wait meanwhile; reads do not. A damaged file is replaced a moment
// later.
//
// bbolt's own check runs in another goroutine, where an unreadable page ends the program.
func (s *Store) Check(ctx context.Context) error {
	s.disk.Lock() // do not look at a commit in progress
	defer s.disk.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check %s: %w", s.path, err)
	}
	f := s.file.Load()
	err := f.intact()
	if err == nil {
		_, err = verifyFile(f.os)
	}
	if err == nil {
		err = f.view(func(tx *bolt.Tx) error {
			if err := new(contents).read(tx, s.path, metasOf(f.os)); err != nil {
				return &corruptError{err}
			}
			return nil
		})
	}
	if err := f.judge(err); err != nil {
		return fmt.Errorf("check %s: %w", s.path, err)
	}
	return nil
}
