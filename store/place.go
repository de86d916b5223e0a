package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
)

// Before each commit, and every few seconds, the open file is compared with what is at
// the path. A file can be moved, deleted, replaced or truncated while it is open, and
// what is written to it then would be gone after a restart. A new file at the path is
// made from memory, which has every row and the newest events; older events come from
// the open file, wherever that is.

// use makes f the store's file.
func (s *Store) use(f *file) {
	f.fault = func(err error) {
		if s.file.Load() != f {
			return // a file that was compacted is still being read
		}
		if s.wrong(fmt.Errorf("use %s: %w", s.path, err)) {
			s.log.Error("the database file can no longer be used: writing a new one from memory", "path", s.path, "error", err)
		}
		s.wake()
	}
	s.file.Store(f)
}

// Usurped returns a channel that is closed when another daemon has taken the database's
// path, after the folder or the lock file was moved or deleted. From then on the store
// writes nothing, [Stats] says why, and the process should end.
func (s *Store) Usurped() <-chan struct{} { return s.usurped }

// isAstray reports whether there is something to mend.
func (s *Store) isAstray() bool {
	return s.astray.Load() || s.unsynced.Load() || s.file.Load().dead() != nil
}

// look finds out whether there is something to mend.
func (s *Store) look() {
	s.disk.Lock()
	defer s.disk.Unlock()
	f, o := s.differs()
	s.astray.Store(f != nil || o != nil)
}

// differs says how the open file and the lock file differ from those at the path. The
// caller holds disk.
func (s *Store) differs() (opened, owner error) {
	f := s.file.Load()
	if opened = f.intact(); opened == nil {
		opened = isAt(f.info, s.path)
	}
	return opened, isAt(s.owner.info, ownerPath(s.path))
}

// A strayError means that a file is no longer where it was opened.
type strayError struct{ problem string }

func (e *strayError) Error() string { return e.problem }

func isAt(file os.FileInfo, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return &strayError{fmt.Sprintf("%s was moved or deleted while it was open", path)}
	case err != nil:
		return err
	case !os.SameFile(file, info):
		return &strayError{fmt.Sprintf("%s was replaced while it was open", path)}
	}
	return nil
}

// mend repairs what differs. Only the committer calls it, and holds disk.
func (s *Store) mend() error {
	if s.taken != nil {
		return s.taken
	}
	if err := s.syncPlace(); err != nil {
		return err
	}
	wrong, noLock := s.differs()
	s.astray.Store(wrong != nil || noLock != nil)
	if noLock != nil {
		if err := s.regain(noLock); err != nil {
			return err
		}
		if wrong == nil {
			s.log.Warn("the database's lock was taken again", "path", s.owner.path(), "because", noLock)
		}
	}
	if wrong != nil {
		if err := s.writeAnew(wrong); err != nil {
			return err
		}
	}
	s.astray.Store(false)
	return nil
}

// regain takes the lock at the path, after our lock file was moved or deleted. If
// another daemon holds it, and our database is not at the path either, the path is
// theirs: they started later and found nobody there.
func (s *Store) regain(why error) error {
	var stray *strayError
	if !errors.As(why, &stray) {
		return why
	}
	if err := s.insecure.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return errors.Join(why, err)
	}
	o, err := lockOwner(s.path, s.twinPath, time.Now())
	var held *HeldError
	if errors.As(err, &held) && isAt(s.file.Load().info, s.path) != nil {
		s.taken = &UsurpedError{Path: s.path, Owner: held.Owner, Problem: stray.problem}
		close(s.usurped)
		return s.taken
	}
	if err != nil {
		return errors.Join(why, err)
	}
	err = o.write(s.owner.text)
	_ = s.owner.release() // the moved lock file means nothing any more
	s.owner = o
	return err
}

// writeAnew makes a new file from memory and puts it at the path. What is there is kept
// under another name: it is our own damaged file, or somebody else's. Rows and events
// keep the numbers and the order that clients have seen.
func (s *Store) writeAnew(why error) error {
	var stray *strayError
	old := s.file.Load()
	if old.dead() == nil && !errors.As(why, &stray) {
		return why // we cannot tell what is at the path
	}
	found, w := s.remembered(old)
	made, err := build(s.path, w)
	if err != nil {
		return errors.Join(why, fmt.Errorf("write a new one: %w", err))
	}
	_ = s.owner.expectAnother()
	aside, err := s.vacate(old)
	if err == nil {
		err = install(s.path)
	}
	if err != nil {
		made.retire() // the file stays: a start that finds nothing at the path uses it
		return errors.Join(why, fmt.Errorf("put a new one in its place: %w", err))
	}
	s.use(made)
	old.retire()
	s.reserved.Store(w.generation)
	s.mu.Lock()
	j := s.journal.Load()
	s.journal.Store(&journal{w.oldest(), j.newest, j.recent, j.next})
	s.renote()
	s.mu.Unlock()
	s.ledger.rewrite()
	args := []any{"path", s.path, "because", why, "kept", aside, "events", len(w.events), "missing_events", found.missing()}
	if g := w.history; g != nil {
		args = append(args, "history", g.values, "damaged_history", g.damaged+g.unreadable)
	}
	s.log.Warn("wrote a new database file", args...)
	return nil
}

// remembered is everything we know: what is in memory, and the older events that can
// be read from the old file.
func (s *Store) remembered(old *file) (*salvage, *whole) {
	j, t := s.journal.Load(), s.table.Load()
	below := j.newest + 1
	if len(j.recent) > 0 {
		below = j.recent[0].Seq
	}
	found := salvageFile(old.os, sizeOf(old.os), int(s.keep), below)
	found.newest = j.newest
	for _, e := range j.recent {
		found.events[e.Seq] = e
	}
	found.trim()
	w := &whole{history: s.pastIn(old, found), newest: j.newest, generation: max(s.reserved.Load(), s.generation.Load()+reserveFirst)}
	w.events = make([]provider.Event, 0, len(found.events))
	for _, seq := range found.seqs() {
		w.events = append(w.events, found.events[seq])
	}
	rows := make(map[string]*Row, len(t.cells))
	for _, c := range t.cells {
		row := c.row.Load()
		rows[row.Status.ID] = row
	}
	w.rows = maps.Values(rows)
	return found, w
}

// pastIn is the history in the old file; nil if that contains another database.
func (s *Store) pastIn(old *file, found *salvage) *regain {
	if found.head != nil && found.head.ID != old.id {
		return nil
	}
	return &regain{r: old.os, size: sizeOf(old.os), from: found.head}
}

// vacate renames what is at the path, and returns its new name.
func (s *Store) vacate(old *file) (string, error) {
	info, err := os.Lstat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case os.SameFile(info, old.info):
		return setAside(s.path, corrupt, s.now())
	case info.Mode().IsRegular():
		if err := isFree(s.path); err != nil {
			return "", err
		}
	}
	return setAside(s.path, displaced, s.now())
}

// isFree returns a [*HeldError] when a program has the database at path open.
func isFree(path string) error {
	f, err := trust.Open(path, 0, 0)
	if err != nil {
		return nil // not a database
	}
	defer f.Close()
	if errors.Is(lockFile(f, time.Now()), errLocked) {
		return &HeldError{Path: path}
	}
	return nil
}
