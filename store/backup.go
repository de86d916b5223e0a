package store

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/underway"
)

// ErrBackupUnderWay is returned by [Store.Backup] while another copy is open.
var ErrBackupUnderWay = errors.New("another backup is under way")

// A Backup is a finished copy of the database, open for reading from its beginning.
type Backup struct {
	file *os.File
	size int64
	sums Sums
	done func()
}

// Size is the copy's size in bytes.
func (b *Backup) Size() int64 { return b.size }

// Sums are the checksums of the copy.
func (b *Backup) Sums() Sums { return b.sums }

// Sums are checksums by which a receiver verifies a copy.
type Sums struct {
	SHA256 [sha256.Size]byte
	CRC32C uint32
}

func (b *Backup) Read(p []byte) (int, error) { return b.file.Read(p) }

// Close deletes the copy.
func (b *Backup) Close() error {
	defer b.done()
	return errors.Join(b.file.Close(), removeAny(b.file.Name()))
}

// Backup copies the database as it is now, with everything that any client has seen,
// into a file beside it, so that a slow reader holds up neither commits nor reads.
// There is one backup at a time; the caller closes it.
//
// A store that is opened on the copy recognises it as one, and numbers events and
// refreshes from beyond all numbers of the original: see renumber.
//
// It waits up to half a minute for the disk, and not at all while a commit hangs.
func (s *Store) Backup() (*Backup, error) {
	if what, age := s.commits.Oldest(); age >= readWithin {
		return nil, &OpenError{Op: "copy the database", Path: s.path, Err: &underway.HangError{What: what, For: age}}
	}
	made := make(chan *Backup, 1)
	var late atomic.Bool
	err := s.reads.Within(copyWithin, "copying "+s.path, func() error {
		b, err := s.backup()
		if err == nil {
			made <- b
			s.dropLate(made, &late)
		}
		return err
	})
	var hang *underway.HangError
	if errors.As(err, &hang) {
		late.Store(true)
		s.dropLate(made, &late)
		return nil, &OpenError{Op: "copy the database", Path: s.path, Err: err}
	}
	if err != nil {
		return nil, err
	}
	return <-made, nil
}

// dropLate closes a copy that is finished after its caller gave up.
func (s *Store) dropLate(made <-chan *Backup, late *atomic.Bool) {
	if !late.Load() {
		return
	}
	select {
	case b := <-made:
		_ = b.Close() // if this fails, the next start removes it
	default:
	}
}

func (s *Store) backup() (*Backup, error) {
	if !s.copying.TryLock() {
		return nil, ErrBackupUnderWay
	}
	file, err := s.copy(backupPath(s.path))
	if err != nil {
		s.copying.Unlock()
		return nil, &OpenError{Op: "copy the database", Path: s.path, Err: err}
	}
	b := &Backup{file: file, size: sizeOf(file), done: s.copying.Unlock}
	if b.sums, err = sumsOf(file); err != nil {
		return nil, &OpenError{Op: "read the copy of the database", Path: s.path, Err: errors.Join(err, b.Close())}
	}
	return b, nil
}

// sumsOf reads the whole file and seeks back to its beginning.
func sumsOf(file *os.File) (Sums, error) {
	strong, quick := sha256.New(), crc32.New(crc32.MakeTable(crc32.Castagnoli))
	if _, err := io.Copy(io.MultiWriter(strong, quick), file); err != nil {
		return Sums{}, err
	}
	_, err := file.Seek(0, io.SeekStart)
	return Sums{[sha256.Size]byte(strong.Sum(nil)), quick.Sum32()}, err
}

// backupPath is where the copy is made. Where the system allows it, the name is
// removed before the copy is read.
func backupPath(path string) string { return path + ".backup" }

// copy makes the copy, verifies it and opens it.
func (s *Store) copy(path string) (_ *os.File, err error) {
	if err := removeAny(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = removeAny(path)
		}
	}()
	if err := s.copyTo(path); err != nil {
		return nil, err
	}
	if err := markCopy(path); err != nil {
		s.suspect(err)
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	_ = os.Remove(path) // Windows keeps it until Close
	return file, nil
}

// copyTo writes the database as one transaction sees it.
func (s *Store) copyTo(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = s.file.Load().view(func(tx *bolt.Tx) error {
		to := &copyWriter{file: file}
		_, err := tx.WriteTo(to)
		if to.err != nil {
			return to.err
		}
		return err
	})
	return errors.Join(err, file.Close())
}

// suspect verifies the database itself after a copy turned out to be damaged.
func (s *Store) suspect(err error) {
	var bad *corruptError
	if !errors.As(err, &bad) {
		return
	}
	s.disk.Lock() // keeps writers out
	defer s.disk.Unlock()
	f := s.file.Load()
	if f.intact() == nil {
		_, err := verifyFile(f.os)
		_ = f.judge(err)
	}
}

// A copyWriter remembers the system's error. bbolt keeps only its text, which is not
// enough to recognise a full disk.
type copyWriter struct {
	file *os.File
	err  error
}

func (w *copyWriter) Write(p []byte) (n int, err error) {
	n, err = w.file.Write(p)
	w.err = cmp.Or(w.err, err)
	return n, err
}

// markCopy verifies a copy and marks it as one. The mark need not survive a power cut.
func markCopy(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close() // again, in case bbolt did not
	if _, err := verifyFile(file); err != nil {
		return fmt.Errorf("it is damaged: %w", err)
	}
	return inFile(file, func(db *bolt.DB) error {
		mark := rewriting(func(h *head) { h.Copy = true })
		// Twice, so that both of bbolt's meta pages refer to it.
		return errors.Join(db.Update(mark), db.Update(mark))
	})
}

// removeAny removes a file if it exists.
func removeAny(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
