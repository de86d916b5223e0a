package store

import "os"

// HangDisk makes every commit wait, as on a disk that does not answer, until the returned
// function is called.
func HangDisk(s *Store) (release func()) {
	s.disk.Lock()
	return s.disk.Unlock
}

// Replacing returns the steps in which a row is replaced by a newer one.
func Replacing(s *Store, u Update) []func() {
	row, err := newRow(u)
	if err != nil {
		panic(err)
	}
	c := s.table.Load().byID[u.Status.ID]
	next := func() { c.edition.Add(1) }
	return []func(){next, func() { c.row.Store(row) }, next}
}

// Written is how many bytes of pages have been written to the file since it was opened. The
// system's own counts have other things in them.
func Written(s *Store) int64 {
	stats := s.file.Load().db.Stats()
	return stats.TxStats.GetPageAlloc() + int64(s.Stats().Commits)*int64(os.Getpagesize())
}

// WithSteps makes a compaction call step before each of its steps, and fail with its error.
func WithSteps(o Options, step func(name string) error) Options {
	o.step = step
	return o
}
