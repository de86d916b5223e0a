package store

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/providerd/providerd/store/trust"
)

// growBy is how much the file grows at a time, in bytes. With bbolt's own 16 MiB most
// of the file would be empty.
const growBy = 256 << 10

// A corruptError says what is wrong with a file, which is then set aside.
type corruptError struct{ err error }

func (e *corruptError) Error() string { return e.err.Error() }
func (e *corruptError) Unwrap() error { return e.err }

// openFile opens the database; it creates one that is absent and repairs one that is
// damaged. The caller holds owner's lock.
func openFile(path string, deadline time.Time, o Options, owner *ownerFile) (*file, *contents, error) {
	absent := false
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		absent = owner.text.Mark != (mark{})
		if err := begin(path, o, owner); err != nil {
			return nil, nil, &OpenError{Op: "create the database", Path: path, Err: err}
		}
	case err != nil:
		return nil, nil, &OpenError{Op: "open the database", Path: path, Err: err}
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, nil, &OpenError{Op: "open the database", Path: path, Err: errSymlink}
	case !info.Mode().IsRegular():
		return nil, nil, &OpenError{Op: "open the database", Path: path, Err: errNotFile}
	default:
		_ = removeAny(newPath(path)) // from a build that was killed; build reports an error
	}
	f, err := trust.Open(path, 0, 0)
	if err != nil {
		return nil, nil, &OpenError{Op: "open the database", Path: path, Err: err}
	}
	opened, found, err := openLocked(f, path, deadline, o, owner.text.Mark)
	if err == nil {
		found.bereft = absent
		return opened, found, nil
	}
	var old *migration
	// bbolt may have closed the file or, after a panic, left it open and mapped.
	_ = unlockFile(f)
	_ = f.Close()
	var bad *corruptError
	switch {
	case errors.As(err, &bad):
		opened, found, err = rescue(path, o, owner, bad)
		if err == nil {
			found.bereft = true
		}
		return opened, found, err
	case errors.As(err, &old):
		_ = owner.expectAnother() // on error, a kill now costs one more jump of the numbers
		if err := install(path); err != nil {
			return nil, nil, &OpenError{Op: "migrate the database", Path: path, Err: err}
		}
		o.Log.Info("the database was migrated to a newer schema", "path", path, "from", old.from, "to", schema, "kept", old.kept())
		return openFile(path, deadline, o, owner)
	}
	return nil, nil, err
}

// begin makes the file, which is absent: this may be the first start, or the file was
// lost. If a daemon was killed just before it renamed a finished file into place, that
// file has everything.
func begin(path string, o Options, owner *ownerFile) error {
	_ = owner.expectAnother() // on error, numbers jump once more
	last := owner.text.Mark
	if f, err := trust.Open(newPath(path), 0, 0); err == nil {
		_, err := verifyFile(f)
		if f.Close(); err == nil {
			o.Log.Warn("a finished database was not yet renamed into place: doing so", "path", path)
			return install(path)
		}
	}
	w := &whole{newest: beyond(o.Now(), last.Seq), generation: beyond(o.Now(), last.Generation)}
	if o.First > 0 && last == (mark{}) {
		w.newest, w.generation = o.First-1, o.First-1
	}
	return create(path, w)
}

// create makes a file at path, where there is none, and closes it.
func create(path string, w *whole) error {
	made, err := build(path, w)
	if err != nil {
		return err
	}
	err = errors.Join(made.close(), install(path))
	if err != nil {
		_ = removeAny(newPath(path))
	}
	return err
}

// openLocked opens, verifies and reads an existing file. Its error is a [*HeldError],
// [*FutureError], [*OpenError] or corruptError; then f is left open, unless bbolt
// closed it.
func openLocked(f *os.File, path string, deadline time.Time, o Options, last mark) (*file, *contents, error) {
	if err := lockFile(f, deadline); errors.Is(err, errLocked) {
		return nil, nil, &HeldError{Path: path}
	} else if err != nil {
		return nil, nil, &OpenError{Op: "lock the database", Path: path, Err: err}
	}
	used, err := verifyFile(f)
	if err != nil {
		return nil, nil, openingError(path, err)
	}
	shorten(f, used)
	var db *bolt.DB
	err = guard(func() (err error) {
		db, err = bolt.Open(path, 0o600, boltOptions(f))
		return err
	})
	if err != nil {
		return nil, nil, openingError(path, err)
	}
	db.AllocSize = growBy
	found, err := load(db, path, metasOf(f))
	if errors.Is(err, errOldSchema) {
		m := newMigration(path, db, f, o)
		err = cmp.Or[error](m.prepare(), m)
	}
	if err == nil {
		found, err = continueNumbers(db, f, path, found, o, last)
	}
	var opened *file
	if err == nil {
		opened, err = newFile(db, f, found.id)
	}
	if err != nil {
		closeAfter(db, err)
		return nil, nil, err
	}
	return opened, found, nil
}

// closeAfter closes a database that could not be used. After a panic bbolt's Close
// would wait for ever for the locks that it left held.
func closeAfter(db *bolt.DB, err error) {
	var broke *panicError
	if !errors.As(err, &broke) {
		_ = db.Close() // the error that counts is the first
	}
}

// continueNumbers makes sure that no number that clients have seen is assigned again.
func continueNumbers(db *bolt.DB, f *os.File, path string, found *contents, o Options, last mark) (*contents, error) {
	missed := last.missedBy(found, fileNumber(f))
	if !found.copied && missed == nil {
		return found, nil
	}
	known := mark{Seq: max(found.newest, last.Seq), Generation: max(found.generation, last.Generation)}
	if err := renumber(db, o.Now(), known); err != nil {
		return nil, &OpenError{Op: "renumber the events of", Path: path, Err: err}
	}
	if found.copied {
		o.Log.Info("the database is a restored backup: events and refreshes get new numbers", "path", path)
	} else {
		o.Log.Warn("the database is not the one that clients have seen: events and refreshes get new numbers",
			"path", path, "because", missed)
	}
	found, err := load(db, path, metasOf(f))
	if err == nil {
		found.renumbered = true
	}
	return found, err
}

// slack is how much of a file may be unused at its end. bbolt maps all of it.
const slack = 64 << 20

// shorten truncates the unused end of a file, which can have any size.
func shorten(f *os.File, used int64) {
	if size := sizeOf(f); size-used > slack {
		_ = f.Truncate(used) // no harm if this fails
	}
}

// openingError tells damage, which we repair, from what only a person can fix.
func openingError(path string, err error) error {
	var bad *corruptError
	var broke *panicError
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return &HeldError{Path: path}
	case errors.As(err, &bad):
		return err
	case errors.As(err, &broke),
		errors.Is(err, bolterrors.ErrInvalid),
		errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, bolterrors.ErrChecksum):
		return &corruptError{err}
	}
	return &OpenError{Op: "open the database", Path: path, Err: err}
}

func boltOptions(file *os.File) *bolt.Options {
	return &bolt.Options{
		Timeout:         lockWait,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: mapSize,
		// Writing the list of free pages costs a page per commit. But without it
		// bbolt scans for free pages at Open, in a goroutine of its own whose panic
		// nobody can recover.
		NoFreelistSync: false,
		// bbolt gets the file that is already locked and verified, so that nobody
		// can replace it in between.
		OpenFile: func(string, int, os.FileMode) (*os.File, error) { return file, nil },
	}
}
