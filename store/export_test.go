package store

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
