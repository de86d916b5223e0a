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

// growBy is how much the file grows at a time, in bytes. bbolt's own 16 MiB would
// be most of the file.
const growBy = 256 << 10

// A corruptError says what is wrong with a file, which therefore goes aside.
type corruptError struct{ err error }

func (e *corruptError) Error() string { return e.err.Error() }
func (e *corruptError) Unwrap() error { return e.err }

// openFile opens the database, creating it when it is absent and mending it when
// it is damaged. The caller holds the lock of owner.
func openFile(path string, deadline time.Time, o Options, owner *ownerFile) (*file, *contents, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
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
		_ = removeAny(newPath(path)) // of a making that was killed; build says why it cannot be
	}
	f, err := trust.Open(path, 0, 0)
	if err != nil {
		return nil, nil, &OpenError{Op: "open the database", Path: path, Err: err}
	}
	opened, found, err := openLocked(f, path, deadline, o, owner.text.Mark)
	if err == nil {
		return opened, found, nil
	}
	var old *migration
	// bbolt may have closed the file, or, when it panicked, have left it open and
	// mapped.
	_ = unlockFile(f)
	_ = f.Close()
	var bad *corruptError
	switch {
	case errors.As(err, &bad):
		return rescue(path, o, owner, bad)
	case errors.As(err, &old):
		_ = owner.expectAnother() // else numbers only rise once more, should we be killed now
		if err := settle(path); err != nil {
			return nil, nil, &OpenError{Op: "migrate the database", Path: path, Err: err}
		}
		o.Log.Info("the database is migrated: each value has a checksum now", "path", path, "kept", old.kept())
		return openFile(path, deadline, o, owner)
	}
	return nil, nil, err
}

// begin makes the file that is absent: it may be the first, or be lost. One that a
// daemon was about to put there when it was killed is whole and has all there was.
func begin(path string, o Options, owner *ownerFile) error {
	_ = owner.expectAnother() // else numbers only rise once more
	last := owner.text.Mark
	if f, err := trust.Open(newPath(path), 0, 0); err == nil {
		_, err := verifyFile(f)
		if f.Close(); err == nil {
			o.Log.Warn("a finished database was not yet in its place: moving it there", "path", path)
			return settle(path)
		}
	}
	w := &whole{newest: beyond(o.Now(), last.Seq), generation: beyond(o.Now(), last.Generation)}
	if o.First > 0 && last == (mark{}) {
		w.newest, w.generation = o.First-1, o.First-1
	}
	return create(path, w)
}

// create makes a file at path, where none is, and closes it.
func create(path string, w *whole) error {
	made, err := build(path, w)
	if err != nil {
		return err
	}
	err = errors.Join(made.close(), settle(path))
	if err != nil {
		_ = removeAny(newPath(path))
	}
	return err
}

// openLocked opens, checks and reads a file that is there. Its error is a
// [*HeldError], [*FutureError], [*OpenError] or corruptError; f is left open then,
// unless bbolt closed it.
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
		m := &migration{path: path, old: db, file: f, log: o.Log, now: o.Now()}
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
// would wait for the locks that it has left behind.
func closeAfter(db *bolt.DB, err error) {
	var broke *panicError
	if !errors.As(err, &broke) {
		_ = db.Close() // the error that counts is the first
	}
}

// continueNumbers sees to it that no number comes again that clients have seen.
func continueNumbers(db *bolt.DB, f *os.File, path string, found *contents, o Options, last mark) (*contents, error) {
	missed := last.missedBy(found, fileNumber(f))
	if !found.copied && missed == nil {
		return found, nil
	}
	known := mark{Seq: max(found.newest, last.Seq), Generation: max(found.generation, last.Generation)}
	if err := renumber(db, o.Now(), known); err != nil {
		return nil, &OpenError{Op: "number the events anew in", Path: path, Err: err}
	}
	if found.copied {
		o.Log.Info("the database is a restored backup: events and refreshes are numbered anew", "path", path)
	} else {
		o.Log.Warn("the database is not the one that clients have seen: events and refreshes are numbered anew",
			"path", path, "because", missed)
	}
	return load(db, path, metasOf(f))
}

// slack is how much of a file may be beyond what is in use. bbolt maps all of it.
const slack = 64 << 20

// shorten cuts off what no page needs: a file may claim any size.
func shorten(f *os.File, used int64) {
	if size := sizeOf(f); size-used > slack {
		_ = f.Truncate(used) // it will do as it is
	}
}

// openingError sorts damage, which is ours to repair, from what only a person
// can put right.
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
		// The list of free pages is written with each commit, though that costs
		// a page: without it bbolt finds the free pages by a scan at Open, in a
		// goroutine of its own whose panic nobody can recover.
		NoFreelistSync: false,
		// It gets the file that is already locked and checked, so that nobody
		// can put another in its place in between.
		OpenFile: func(string, int, os.FileMode) (*os.File, error) { return file, nil },
	}
}
