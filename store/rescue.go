package store

import (
	"errors"
	"maps"
	"time"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
)

// rescue puts what can be read of a damaged file into a new one, and keeps the old one
// under another name. Numbers continue from the newest commit if it can be read and no
// client has seen later ones; otherwise from beyond all that may have been assigned.
func rescue(path string, o Options, owner *ownerFile, bad error) (*file, *contents, error) {
	refused := func(op string, err error) (*file, *contents, error) {
		return nil, nil, &OpenError{Op: op, Path: path, Err: err}
	}
	f, err := trust.Open(path, 0, 0)
	if err != nil {
		return refused("open the damaged database", err)
	}
	defer f.Close()
	if err := lockFile(f, time.Now()); errors.Is(err, errLocked) {
		return nil, nil, &HeldError{Path: path}
	}
	info, err := f.Stat()
	if err != nil {
		return refused("look at the damaged database", err)
	}
	s := salvageFile(f, info.Size(), o.KeepEvents, maxNumber+1)
	if s.version > schema {
		return nil, nil, &FutureError{Path: path, Found: int(s.version), Known: schema}
	}
	w := s.whole(o, owner.text.Mark, fileNumber(f))
	w.history = &regain{r: f, size: info.Size(), from: s.head}
	made, err := build(path, w)
	if err == nil {
		err = made.close()
	}
	if err != nil {
		return refused("save what can be read of the damaged database beside", err)
	}
	_ = owner.expectAnother() // on error, a kill now costs one more jump of the numbers
	f.Close()                 // Windows does not rename an open file
	aside, err := setAside(path, corrupt, o.Now())
	if err == nil {
		err = install(path)
	}
	if err != nil {
		return refused("set the damaged database aside", err)
	}
	s.report(o, path, aside, bad, w.history)
	if f, err = trust.Open(path, 0, 0); err != nil {
		return refused("open the database", err)
	}
	opened, found, err := openLocked(f, path, time.Now().Add(lockWait), o, owner.text.Mark)
	if err != nil {
		_ = f.Close()
	}
	return opened, found, err
}

// whole is what was found, with numbers to continue from.
func (s *salvage) whole(o Options, last mark, file uint64) *whole {
	w := &whole{rows: maps.Values(s.rows), newest: s.newest, generation: s.generation}
	shift := uint64(0)
	if !s.sure || s.copied || s.missedBy(last, file) {
		w.newest = beyond(o.Now(), max(s.newest, last.Seq))
		shift = w.newest - s.newest
	}
	if w.generation == 0 || w.generation < last.Generation || shift != 0 {
		w.generation = beyond(o.Now(), max(s.generation, last.Generation))
	}
	if s.head != nil {
		w.first = s.first(s.head.Oldest) + shift
	}
	w.events = make([]provider.Event, 0, len(s.events))
	for _, seq := range s.seqs() {
		e := s.events[seq]
		e.Seq += shift
		w.events = append(w.events, e)
	}
	return w
}

// missedBy reports whether, according to the mark, clients may have seen more than the
// newest commit that was found.
func (s *salvage) missedBy(last mark, file uint64) bool {
	same := last.File != 0 && last.File == file
	return last.File != 0 && file != 0 && !same || s.newest < last.Seq || same && s.txid < uint64(last.Tx)
}

// report logs in one line what was kept and what was lost.
func (s *salvage) report(o Options, path, aside string, bad error, g *regain) {
	if s.empty() && g.values == 0 {
		o.Log.Warn("the database is damaged: starting with an empty one and keeping the old one",
			"path", path, "kept", aside, "error", bad)
		return
	}
	o.Log.Warn("the database is damaged: what can be read of it is in a new one, and the old one is kept",
		"path", path, "kept", aside, "error", bad,
		"rows", len(s.rows), "older_rows", s.older, "lost_rows", s.lost, "events", len(s.events), "missing_events", s.missing(), "unreadable_parts", s.unreadable,
		"history", g.values, "damaged_history", g.damaged+g.unreadable)
}
