package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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

// openFile opens the database, creating it when it is absent or damaged. The
// caller holds the owner's lock.
func openFile(path string, deadline time.Time, o Options) (*bolt.DB, *os.File, *contents, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := create(path); err != nil {
			return nil, nil, nil, &OpenError{Op: "create the database", Path: path, Err: err}
		}
	case err != nil:
		return nil, nil, nil, &OpenError{Op: "open the database", Path: path, Err: err}
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, nil, nil, &OpenError{Op: "open the database", Path: path, Err: errSymlink}
	case !info.Mode().IsRegular():
		return nil, nil, nil, &OpenError{Op: "open the database", Path: path, Err: errNotFile}
	}
	db, file, found, err := openExisting(path, deadline, o)
	var bad *corruptError
	if !errors.As(err, &bad) {
		return db, file, found, err
	}
	aside, err := setAside(path, o.Now())
	if err != nil {
		return nil, nil, nil, &OpenError{Op: "set the damaged database aside", Path: path, Err: err}
	}
	o.Log.Warn("the database is damaged: starting with an empty one, and keeping the old",
		"path", path, "kept", aside, "error", bad)
	if err := create(path); err != nil {
		return nil, nil, nil, &OpenError{Op: "create the database", Path: path, Err: err}
	}
	return openExisting(path, deadline, o)
}

// openExisting opens, checks and reads a file that is there. Its error is a
// [*HeldError], [*FutureError], [*OpenError] or corruptError.
func openExisting(path string, deadline time.Time, o Options) (*bolt.DB, *os.File, *contents, error) {
	file, err := trust.Open(path, 0, 0)
	if err != nil {
		return nil, nil, nil, &OpenError{Op: "open the database", Path: path, Err: err}
	}
	db, found, err := openLocked(file, path, deadline, o)
	if err == nil {
		return db, file, found, nil
	}
	// The error that counts is the first. bbolt may have closed the file, or, when
	// it panicked, have left it open and mapped.
	if db != nil {
		_ = db.Close()
	}
	_ = unlockFile(file)
	_ = file.Close()
	return nil, nil, nil, err
}

// openLocked returns the DB beside the error when there is one to be closed.
func openLocked(file *os.File, path string, deadline time.Time, o Options) (*bolt.DB, *contents, error) {
	if err := lockFile(file, deadline); errors.Is(err, errLocked) {
		return nil, nil, &HeldError{Path: path}
	} else if err != nil {
		return nil, nil, &OpenError{Op: "lock the database", Path: path, Err: err}
	}
	if err := verifyFile(file); err != nil {
		return nil, nil, openingError(path, err)
	}
	var db *bolt.DB
	err := guard(func() (err error) {
		db, err = bolt.Open(path, 0o600, boltOptions(file))
		return err
	})
	if err != nil {
		return nil, nil, openingError(path, err)
	}
	db.AllocSize = growBy
	found, err := load(db, path, o.Log)
	if err != nil || !found.copied {
		return db, found, err
	}
	if err := renumber(db, o.Now()); err != nil {
		return db, nil, &OpenError{Op: "number the events anew in the restored database", Path: path, Err: err}
	}
	o.Log.Info("the database is a restored backup: events and refreshes are numbered anew", "path", path)
	found, err = load(db, path, o.Log)
	return db, found, err
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

// create makes an empty database under a temporary name and moves it into place
// when it is whole on the disk, so that a file of that name is never half made.
func create(path string) (err error) {
	temporary := path + ".new"
	// What a creation that was killed has left behind.
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	file, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close() // again, in case bbolt did not
	options := boltOptions(file)
	options.InitialMmapSize = 0
	db, err := bolt.Open(temporary, 0o600, options)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(lay), file.Sync(), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// setAside gives a damaged file a name of its own, and returns it. No file that
// is already there is touched.
func setAside(path string, now time.Time) (string, error) {
	stamped := path + ".corrupt-" + now.UTC().Format("20060102T150405Z")
	aside := stamped
	for n := 2; ; n++ {
		_, err := os.Lstat(aside)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return "", err
		}
		aside = fmt.Sprintf("%s-%d", stamped, n)
	}
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	return aside, syncFolder(filepath.Dir(path))
}

func verifyFile(file *os.File) error {
	image, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<62))
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return verify(image)
}

// sizeOf is the file's size in bytes, 0 when the system does not tell.
func sizeOf(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
