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

// What is open is compared with what is at the path, before each commit and every
// few seconds: a file can be moved, deleted, replaced or cut short while it is open,
// and what is written then is nowhere to be found after a restart. The path is made
// good again from memory, which knows every row and the newest events; older events
// come from the open file, wherever that is.

// use makes an open file the store's.
func (s *Store) use(f *file) {
	f.fault = func(err error) {
		if s.wrong(fmt.Errorf("use %s: %w", s.path, err)) {
			s.log.Error("the database file can no longer be used: writing a new one from memory", "path", s.path, "error", err)
		}
		s.wake()
	}
	s.file.Store(f)
}

// Usurped is closed when another daemon has taken the path of the database, after
// its folder or the lock in it was moved or deleted. The store writes nothing from
// then on, and [Stats] says why: the process should end.
func (s *Store) Usurped() <-chan struct{} { return s.usurped }

// isAstray reports whether something is to be mended.
func (s *Store) isAstray() bool { return s.astray.Load() || s.file.Load().dead() != nil }

// look finds out whether something is to be mended.
func (s *Store) look() {
	s.disk.Lock()
	defer s.disk.Unlock()
	f, o := s.differs()
	s.astray.Store(f != nil || o != nil)
}

// differs says why the open file, and the file with the lock, are not those at the
// path. The caller holds disk.
func (s *Store) differs() (opened, owner error) {
	f := s.file.Load()
	if opened = f.intact(); opened == nil {
		opened = isAt(f.info, s.path)
	}
	return opened, isAt(s.owner.info, ownerPath(s.path))
}

// A strayError says that a file is no longer where it was opened.
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

// mend makes good what differs. Only the committer calls it, and holds disk.
func (s *Store) mend() error {
	if s.taken != nil {
		return s.taken
	}
	wrong, noLock := s.differs()
	s.astray.Store(wrong != nil || noLock != nil)
	if noLock != nil {
		if err := s.regain(noLock); err != nil {
			return err
		}
		if wrong == nil {
			s.log.Warn("the lock of the database is taken anew", "path", s.owner.path(), "because", noLock)
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

// regain takes the lock at the path, where ours is no more. If another daemon has
// it, and our file is not at the path either, that one has the path: it began later,
// and has found nobody there.
func (s *Store) regain(why error) error {
	var stray *strayError
	if !errors.As(why, &stray) {
		return why
	}
	if err := trust.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
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
	_ = s.owner.release() // where it is now, it means nothing
	s.owner = o
	return err
}

// writeAnew makes a new file of all that memory knows, and puts it at the path. What
// is there is not destroyed: our own file is damaged then, and any other is somebody
// else's. Rows and events have the numbers and the order that clients have seen.
func (s *Store) writeAnew(why error) error {
	var stray *strayError
	old := s.file.Load()
	if old.dead() == nil && !errors.As(why, &stray) {
		return why // nobody can tell what is at the path
	}
	found, w := s.remembered(old)
	made, err := build(s.path, w)
	if err != nil {
		return errors.Join(why, fmt.Errorf("write it anew: %w", err))
	}
	_ = s.owner.expectAnother()
	aside, err := s.vacate(old)
	if err == nil {
		err = settle(s.path)
	}
	if err != nil {
		made.retire() // its name stays: a start that finds nothing at the path takes it
		return errors.Join(why, fmt.Errorf("put a new one in its place: %w", err))
	}
	s.use(made)
	old.retire()
	s.reserved.Store(w.generation)
	s.mu.Lock()
	j := s.journal.Load()
	s.journal.Store(&journal{w.oldest(), j.newest, j.recent, j.next})
	s.mu.Unlock()
	s.log.Warn("the database was written anew", "path", s.path, "because", why, "kept", aside,
		"events", len(w.events), "missing_events", found.missing())
	return nil
}

// remembered is all that is known: what memory has, and the older events that can
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
	w := &whole{newest: j.newest, generation: max(s.reserved.Load(), s.generation.Load()+reserveFirst)}
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

// vacate makes the path free, and returns the name of what was there.
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
		return nil // it is nobody's database
	}
	defer f.Close()
	if errors.Is(lockFile(f, time.Now()), errLocked) {
		return &HeldError{Path: path}
	}
	return nil
}
