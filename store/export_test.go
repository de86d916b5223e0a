package store

// HangDisk makes every commit wait, as on a disk that does not answer, until the
// function that it returns is called.
func HangDisk(s *Store) (release func()) {
	s.disk.Lock()
	return s.disk.Unlock
}
