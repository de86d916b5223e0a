package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// bbolt never makes a file smaller: pages that become free are only used again. So if more than
// half of the file is free, everything in it is copied into a new file, which is then renamed
// to the path. Commits continue meanwhile. They are repeated in the new file before it is
// renamed. A read continues in the file in which it began.

const (
	compactFrom  = 4 << 20 // in bytes; the free pages of a smaller file do not matter
	compactEvery = time.Hour
	patience     = 10 * time.Minute // how long to wait for the end of a burst of commits
	mostFailures = 5                // after which the wait no longer doubles
)

// A compactor decides when to compact. Only the committer uses it, except for its counts.
type compactor struct {
	from     int64                   // the smallest size in bytes for which it is worthwhile
	next     time.Time               // none begins before
	due      time.Time               // since when it is due; zero if it is not
	failures int                     // in a row
	said     string                  // the last failure that was logged
	running  *compaction             // nil if none is in progress
	step     func(name string) error // see Options.step
}

// isWorthwhile reports whether more than half of a file is free.
func (c *compactor) isWorthwhile(size, used int64) bool {
	return size >= c.from && used > 0 && size-used > size/2
}

// begins reports whether to begin now. It waits for a quiet moment, but not forever.
func (c *compactor) begins(now time.Time, worthwhile, quiet bool) bool {
	if !worthwhile || now.Before(c.next) {
		c.due = time.Time{}
		return false
	}
	if c.due.IsZero() {
		c.due = now
	}
	return quiet || now.Sub(c.due) >= patience
}

// ended schedules the next compaction. The wait grows if compactions keep failing. It reports
// whether the failure is new.
func (c *compactor) ended(now time.Time, err error) (isNew bool) {
	c.due = time.Time{}
	if err == nil {
		c.failures, c.said, c.next = 0, "", now.Add(compactEvery)
		return false
	}
	c.next = now.Add(compactEvery << c.failures)
	c.failures = min(c.failures+1, mostFailures)
	isNew = err.Error() != c.said
	c.said = err.Error()
	return isNew
}

// errOvertaken means that a compaction is no longer of use. It is not a failure.
var errOvertaken = errors.New("the file is closed or replaced")

// tidy begins a compaction if it is time for one, or takes over the result of one that has
// finished. Only the committer calls it.
func (s *Store) tidy(quiet bool) {
	c := &s.compactor
	if running := c.running; running != nil {
		if !running.hasEnded() {
			return
		}
		c.running = nil
		s.report(running, s.takeOver(running))
		s.noteAlive() // the new mark lacks it
		return
	}
	if replacesOpen && c.begins(time.Now(), c.isWorthwhile(s.file.Load().usage()), quiet) {
		s.compact()
	}
}

// untidy aborts a compaction, because the store is being closed.
func (s *Store) untidy() {
	c := s.compactor.running
	if c == nil {
		return
	}
	<-c.done
	s.disk.Lock()
	defer s.disk.Unlock()
	if c.source.also = nil; c.err == nil {
		c.discard()
	}
}

// report counts a finished compaction, and logs it unless the same failure is logged already.
func (s *Store) report(c *compaction, err error) {
	if errors.Is(err, errOvertaken) {
		return
	}
	isNew := s.compactor.ended(time.Now(), err)
	switch {
	case err == nil:
		s.counts.compacted.Add(1)
		s.log.Info("the database was compacted", "path", s.path,
			"before", c.before, "after", s.file.Load().size.Load(), "took", time.Since(c.began).Round(time.Millisecond).String())
	case isNew:
		s.log.Warn("the database could not be compacted", "path", s.path, "error", err)
		fallthrough
	default:
		s.counts.notCompacted.Add(1)
	}
}

// compactPath is where a compacted file is made.
func compactPath(path string) string { return path + ".compact" }

// compact begins to compact what is committed now.
func (s *Store) compact() {
	s.disk.Lock()
	defer s.disk.Unlock()
	if wrong, noLock := s.differs(); wrong != nil || noLock != nil {
		return // left to the next check
	}
	source := s.file.Load()
	c := newCompaction(s, source)
	source.also = c.note
	s.compactor.running = c
	go c.run()
	<-c.reading // later commits are noted
}

// takeOver replaces the source with a finished copy. If anything fails before the rename, the
// source stays.
func (s *Store) takeOver(c *compaction) (err error) {
	defer s.commits.Begin("compacting " + s.path)()
	s.disk.Lock()
	defer s.disk.Unlock()
	c.source.also = nil
	if c.err != nil {
		return c.err
	}
	err = s.replace(c)
	if err != nil {
		c.discard()
	}
	return err
}

// replace renames the copy to the path once it has caught up. The caller holds disk.
func (s *Store) replace(c *compaction) error {
	old, made := c.source, c.made
	if wrong, noLock := s.differs(); s.file.Load() != old || wrong != nil || noLock != nil || s.taken != nil {
		return errOvertaken
	}
	if err := c.catchUp(); err != nil {
		return fmt.Errorf("repeat what was committed meanwhile: %w", err)
	}
	if err := isAt(made.info, compactPath(s.path)); err != nil {
		return err
	}
	if err := s.compactor.at("rename"); err != nil {
		return err
	}
	_ = s.owner.expectAnother() // on error, a kill now costs one more jump of the numbers
	if err := os.Rename(compactPath(s.path), s.path); err != nil {
		return err
	}
	s.use(made)
	old.giveWay(made)
	// Until its folder is synced, a power cut can bring back the old file, which has everything
	// committed so far. So the next commit waits for that.
	s.unsynced.Store(true)
	if err := s.syncPlace(); err != nil {
		s.wake()
	}
	_ = s.owner.remember(mark{File: made.number, Tx: int(made.txid.Load()), Seq: s.journal.Load().newest, Generation: s.reserved.Load()})
	return nil
}

// syncPlace makes sure that a power cut cannot undo the rename of a file.
func (s *Store) syncPlace() error {
	if !s.unsynced.Load() {
		return nil
	}
	err := s.compactor.at("sync folder")
	if err == nil {
		err = syncFolder(filepath.Dir(s.path))
	}
	if err != nil {
		return fmt.Errorf("sync the folder of the compacted database: %w", err)
	}
	s.unsynced.Store(false)
	return nil
}

func (c *compactor) at(step string) error {
	if c.step == nil {
		return nil
	}
	return c.step(step)
}

// usage returns the size of the file, and how much of it is in use, 0 if unknown.
func (f *file) usage() (size, used int64) {
	end := f.end.Load()
	if end == 0 || f.dead() != nil {
		return 0, 0
	}
	return f.size.Load(), end - int64(f.freePages())*int64(f.db.Info().PageSize)
}
