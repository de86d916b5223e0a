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

// A Backup is a copy of the database, open at its beginning, that nobody writes
// any more.
type Backup struct {
	file *os.File
	size int64
	sums Sums
	done func()
}

// Size is how many bytes there are to be read.
func (b *Backup) Size() int64 { return b.size }

// Sums are those of these bytes.
func (b *Backup) Sums() Sums { return b.sums }

// Sums tell whether a file is the one that was sent.
type Sums struct {
	SHA256 [sha256.Size]byte
	CRC32C uint32
}

func (b *Backup) Read(p []byte) (int, error) { return b.file.Read(p) }

// Close gives the copy's space back.
func (b *Backup) Close() error {
	defer b.done()
	return errors.Join(b.file.Close(), removeAny(b.file.Name()))
}

// Backup makes a copy of the database as it is now, with all that was ever seen,
// in a file beside it, so that whoever reads it may take their time. Neither
// commits nor reads wait for it. There is one at a time; the caller closes it.
//
// A store that is opened on the copy knows it for one, and numbers events and
// refreshes anew from a place that the first has not come to: see renumber.
//
// It waits for the disk for half a minute, and not at all when a commit hangs.
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

// dropLate closes a copy that is made when nobody waits for it any more.
func (s *Store) dropLate(made <-chan *Backup, late *atomic.Bool) {
	if !late.Load() {
		return
	}
	select {
	case b := <-made:
		_ = b.Close() // its space comes back at the next start
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

// sumsOf reads a file whole, and goes back to its beginning.
func sumsOf(file *os.File) (Sums, error) {
	strong, quick := sha256.New(), crc32.New(crc32.MakeTable(crc32.Castagnoli))
	if _, err := io.Copy(io.MultiWriter(strong, quick), file); err != nil {
		return Sums{}, err
	}
	_, err := file.Seek(0, io.SeekStart)
	return Sums{[sha256.Size]byte(strong.Sum(nil)), quick.Sum32()}, err
}

// backupPath is where the copy is made. Where the system allows it, the name is
// gone before the first byte is read.
func backupPath(path string) string { return path + ".backup" }

// copy makes the copy, and opens it once it is found to be sound.
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

// copyTo writes what one transaction sees.
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

// suspect looks at the database itself when a copy of it was found to be damaged.
func (s *Store) suspect(err error) {
	var bad *corruptError
	if !errors.As(err, &bad) {
		return
	}
	s.disk.Lock() // no writer beside it
	defer s.disk.Unlock()
	f := s.file.Load()
	if f.intact() == nil {
		_, err := verifyFile(f.os)
		_ = f.judge(err)
	}
}

// A copyWriter remembers what the system said, of which bbolt leaves the text
// alone: a full disk is to be known as one.
type copyWriter struct {
	file *os.File
	err  error
}

func (w *copyWriter) Write(p []byte) (n int, err error) {
	n, err = w.file.Write(p)
	w.err = cmp.Or(w.err, err)
	return n, err
}

// markCopy writes into a copy that it is one, if it is sound. It need not survive
// a power cut.
func markCopy(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close() // again, in case bbolt did not
	if _, err := verifyFile(file); err != nil {
		return fmt.Errorf("it is damaged: %w", err)
	}
	options := boltOptions(file)
	options.InitialMmapSize, options.NoSync = 0, true
	return guard(func() error {
		db, err := bolt.Open(path, 0o600, options)
		if err != nil {
			return err
		}
		db.AllocSize = growBy
		mark := rewriting(func(h *head) { h.Copy = true })
		// Twice, so that both of bbolt's meta pages lead to it.
		return errors.Join(db.Update(mark), db.Update(mark), db.Close())
	})
}

// removeAny removes a file that need not be there.
func removeAny(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
