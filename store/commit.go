package store

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	retryAfter    = time.Second // after a commit failed
	rideEvery     = time.Minute // how often rows with no change of state join a commit
	lookEvery     = 5 * time.Second
	reserveAtMost = 65_536 // generations in one reservation
	reserveFirst  = 1024   // likewise at first, until more are used
)

// run commits until the store is closed.
func (s *Store) run() {
	defer close(s.done)
	defer s.untidy()
	pace := newPace(time.Now())
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		s.tidy(pace.isFull(time.Now()))
		select {
		case <-s.stop:
			return
		case <-s.nudge:
		case <-look.C:
			s.look()
			s.noteAlive()
		}
		for s.due() {
			if !s.pause(pace.take(time.Now())) {
				return
			}
			began := time.Now()
			failed := s.commit(false) != nil
			pace.suit(time.Since(began))
			if failed && !s.pause(retryAfter) {
				return
			}
			s.tidy(false)
		}
	}
}

// noteAlive notes, outside the database, until when providers were watched.
func (s *Store) noteAlive() {
	if at, ok := s.ledger.watchedUntil(); ok {
		s.disk.Lock()
		defer s.disk.Unlock()
		s.owner.twin.live(at)
	}
}

// pause waits, and reports false if the store is closed meanwhile.
func (s *Store) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}

// due reports whether something needs a commit.
func (s *Store) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.pending.empty() || s.pending.barrier != nil || s.reservation() != 0 || s.ledger.due() || s.isAstray()
}

// commit writes everything that is pending in one transaction, and publishes it once
// it is on the disk. The last commit also writes every row that is newer than the disk.
func (s *Store) commit(last bool) error {
	g := s.take(last)
	if g == nil {
		return nil
	}
	began := time.Now()
	defer s.commits.Begin("a commit to " + s.path)()
	err := s.write(g)
	took := time.Since(began)
	s.finish(g, err)
	s.record(err, took)
	g.barrier.end(err)
	return err
}

// take moves the pending group to inFlight and returns it; nil if there is nothing to do.
func (s *Store) take(last bool) *group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.pending
	if !last {
		g.generation = s.reservation()
	}
	idle := g.empty() && g.generation == 0
	if idle && g.barrier == nil && !last && !s.ledger.due() && !s.isAstray() {
		return nil
	}
	g.last = last
	if now := time.Now(); last || !idle && (g.urgent || now.Sub(s.rodeAt) >= rideEvery) {
		s.rodeAt = now
		g.riders = make(map[*cell]*Row, len(s.dirty))
		for c := range s.dirty {
			g.riders[c] = c.row.Load()
		}
	}
	g.history = s.ledger.take(idle, last, time.Now())
	s.pending, s.inFlight = newGroup(), g
	return g
}

// write commits a group.
func (s *Store) write(g *group) error {
	s.disk.Lock()
	defer s.disk.Unlock()
	err := s.writeOnce(g)
	if err != nil && s.file.Load().dead() != nil && s.taken == nil {
		err = s.writeOnce(g) // into another file
	}
	if err != nil {
		return fmt.Errorf("commit to %s: %w", s.path, err)
	}
	return nil
}

func (s *Store) writeOnce(g *group) error {
	if err := s.mend(); err != nil {
		return err
	}
	journal, opened := s.journal.Load(), s.file.Load()
	g.base, g.oldest, g.keep = journal.newest, journal.oldest, s.keep
	frozen, here := g.frozen(), mark{File: opened.number, Seq: g.newest()}
	here.Generation = max(s.reserved.Load(), g.generation)
	err := opened.update(func(tx *bolt.Tx) error {
		here.Tx = tx.ID()
		return frozen.apply(tx)
	})
	if err != nil {
		return err
	}
	_ = s.owner.remember(here) // if this fails, an older database may go unnoticed
	return nil
}

// record counts a commit, and logs each new failure once.
func (s *Store) record(err error, took time.Duration) {
	s.mu.Lock()
	s.took.Add(took)
	s.mu.Unlock()
	if err == nil {
		s.counts.commits.Add(1)
		if s.counts.lastError.Swap(nil) != nil {
			s.log.Info("the database can be written again", "path", s.path)
		}
		return
	}
	s.counts.failed.Add(1)
	if s.wrong(err) {
		s.log.Error("the database cannot be written: changes wait, and readers see the last state that was saved",
			"path", s.path, "error", err)
	}
}

// wrong sets what is wrong with the database, and reports whether that is new.
func (s *Store) wrong(err error) bool {
	text := err.Error()
	last := s.counts.lastError.Swap(&text)
	return last == nil || *last != text
}

// NextGeneration returns the number of a new refresh. Numbers only rise, also across
// a crash: they are reserved on the disk by the thousand before they are used. Each
// start jumps to the microseconds since 1970 or, if the clock went back, to the end
// of the reservation. A number can come again only if three things meet: the disk
// refuses for more refreshes than are reserved (512, or as many as came before, up
// to 32,768), the daemon crashes, and the clock goes back.
func (s *Store) NextGeneration() uint64 {
	n := s.generation.Add(1)
	if s.reservation() != 0 {
		s.wake()
	}
	return n
}

// Generation returns the number of the latest refresh, 0 if there was none.
func (s *Store) Generation() uint64 { return s.generation.Load() }

// reservation returns the generation up to which to reserve now, 0 if enough are
// reserved.
func (s *Store) reservation() uint64 {
	used := s.generation.Load()
	ahead := min(max(used-s.began, reserveFirst), reserveAtMost)
	if used+ahead/2 < s.reserved.Load() {
		return 0
	}
	return used + ahead
}

// reserve makes the first reservation, before any generation is handed out. The daemon
// starts even if the disk refuses; the committer keeps trying.
func (s *Store) reserve() {
	if s.commit(false) != nil {
		s.wake()
	}
}
