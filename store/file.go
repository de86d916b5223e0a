package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// errMoved is why an undamaged file is no longer used.
var errMoved = errors.New("the database is being replaced")

// errFollowed means that a read has to begin in the file that replaced this one.
var errFollowed = errors.New("another file has taken its place")

// A file is an open database file. It may die: bbolt panics on unexpected damage, and
// so it does on a page that the disk cannot read or that somebody truncated away. After
// that bbolt may hold its own locks for ever. So nothing calls into it again, nobody
// waits for it, and its mapping stays until the process ends. The Store outlives it.
type file struct {
	db     *bolt.DB
	os     *os.File     // which bbolt has open
	info   os.FileInfo  // identifies it
	number uint64       // tells it from another file at its path
	id     uint64       // of the database in it
	size   atomic.Int64 // at the last commit; bbolt never makes a file smaller
	end    atomic.Int64 // of the pages in use, in bytes, at the last commit; 0 if not known yet
	txid   atomic.Int64 // of the last commit
	fault  func(error)  // called once, when the file dies

	// also, if it is not nil, gets each committed transaction, to repeat it in another file.
	// Guarded by the store's disk.
	also func(fn func(*bolt.Tx) error)

	entry   sync.Mutex // held while a read begins or ends
	locked  bool       // a read panicked while it began, and left bbolt's locks held; guarded by entry
	readers int        // reads in progress; guarded by entry
	next    *file      // has replaced this one; guarded by entry

	closed atomic.Bool
	dying  sync.Once
	why    error         // set before died is closed
	died   chan struct{} // closed when the file is dead
}

func newFile(db *bolt.DB, f *os.File, id uint64) (*file, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	opened := &file{db: db, os: f, info: info, number: fileNumber(f), id: id, fault: func(error) {}, died: make(chan struct{})}
	opened.size.Store(info.Size())
	return opened, nil
}

// dead is why the file is dead; nil while it is not.
func (f *file) dead() error {
	select {
	case <-f.died:
		return f.why
	default:
		return nil
	}
}

// kill declares the file dead, and reports whether it was alive until now.
func (f *file) kill(why error) (first bool) {
	f.dying.Do(func() {
		f.why, first = why, true
		close(f.died)
	})
	return first
}

// intact says why the file cannot be used: it is dead, closed or truncated. It looks at
// the size and touches no page.
func (f *file) intact() error {
	if err := f.dead(); err != nil {
		return err
	}
	if f.closed.Load() {
		return bolterrors.ErrDatabaseNotOpen
	}
	info, err := f.os.Stat()
	if err != nil {
		return err
	}
	if had := f.size.Load(); info.Size() < had {
		return f.judge(&corruptError{fmt.Errorf("the file was truncated from %d bytes to %d", had, info.Size())})
	}
	return nil
}

// judge kills the file if err says that it can no longer be used, and returns err.
func (f *file) judge(err error) error {
	var broke *panicError
	var bad *corruptError
	switch {
	case errors.As(err, &broke), errors.As(err, &bad), errors.Is(err, bolterrors.ErrInvalidMapping),
		// After an I/O error the file cannot be trusted: a second sync may succeed
		// without having written anything.
		errors.Is(err, syscall.EIO):
		if f.kill(err) {
			f.fault(err)
		}
	}
	return err
}

// view runs fn in a read transaction, and unmaps the pages that it read. After an error
// fn may still be running: do not look at what it captured.
func (f *file) view(fn func(*bolt.Tx) error) error {
	err := f.run(func() error { return f.read(fn) })
	if errors.Is(err, errFollowed) {
		return f.follower().view(fn)
	}
	return err
}

// read is view in the caller's goroutine, which can block if the file dies meanwhile.
func (f *file) read(fn func(*bolt.Tx) error) error {
	before := f.txid.Load() // a commit may end while the read begins
	tx, err := f.begin()
	if err != nil {
		return err
	}
	defer f.finish(tx)
	if err := f.follows(tx, tx.ID(), before); err != nil {
		return err
	}
	err = fn(tx)
	unmap(f.db, tx)
	return err
}

// update runs fn in a write transaction, and handles errors like view. While the file is being
// compacted, fn runs again in the new file, so what it captured must not change.
func (f *file) update(fn func(*bolt.Tx) error) error {
	var txid int
	err := f.run(func() error {
		if err := f.intact(); err != nil {
			return err
		}
		return f.db.Update(func(tx *bolt.Tx) error {
			txid = tx.ID()
			if err := f.follows(tx, txid-1, f.txid.Load()); err != nil {
				return err
			}
			return fn(tx)
		})
	})
	if err == nil {
		f.size.Store(sizeOf(f.os))
		f.txid.Store(int64(txid))
		// This unmaps pages too; fault was called already.
		_ = f.view(func(tx *bolt.Tx) error { f.end.Store(tx.Size()); return nil })
		if f.also != nil {
			f.also(fn)
		}
	}
	return err
}

// follows returns nil if the newest commit in the file is our last one or follows it: a
// commit that failed may be in the file after all. Anything else means that somebody
// wrote a copy over the file while it was open.
func (f *file) follows(tx *bolt.Tx, txid int, ours int64) error {
	h, err := readHead(tx)
	switch {
	case err != nil:
		return &corruptError{err}
	case h.ID != f.id:
		return &corruptError{errors.New("another database was written over it")}
	case int64(txid) < ours:
		return &corruptError{fmt.Errorf("an older database was written over it: commit %d comes after %d", txid, ours)}
	}
	return nil
}

// run calls into bbolt, and returns when the call does or when the file dies.
func (f *file) run(fn func() error) error {
	if err := f.dead(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- f.judge(guard(fn)) }()
	select {
	case err := <-done:
		return err
	case <-f.died:
		return f.why
	}
}

// begin begins a read. A panic in it leaves bbolt's locks held, and is noticed before
// anybody else can wait for them.
func (f *file) begin() (tx *bolt.Tx, err error) {
	f.entry.Lock()
	defer f.entry.Unlock()
	if f.next != nil {
		return nil, errFollowed
	}
	if err := f.intact(); err != nil {
		return nil, err
	}
	err = f.judge(guard(func() (err error) {
		tx, err = f.db.Begin(false)
		return err
	}))
	var broke *panicError
	f.locked = errors.As(err, &broke)
	if err == nil {
		f.readers++
	}
	return tx, err
}

// finish ends a read, even one that panicked. Such a read holds no lock except its own.
func (f *file) finish(tx *bolt.Tx) {
	f.entry.Lock()
	defer f.entry.Unlock()
	if !f.locked {
		_ = tx.Rollback() // cannot fail for a read
	}
	f.readers--
	f.leave()
}

// giveWay makes later reads begin in next, which has the same content. Reads in progress
// continue, and the last of them closes the file.
func (f *file) giveWay(next *file) {
	f.entry.Lock()
	defer f.entry.Unlock()
	f.next = next
	f.leave()
}

// leave closes the file if another one has replaced it and no read is in progress. The caller
// holds entry.
func (f *file) leave() {
	if f.next == nil || f.readers > 0 || f.closed.Swap(true) {
		return
	}
	if f.dead() != nil {
		_ = f.abandon() // nobody could act on the error
		return
	}
	go func() { _ = guard(f.db.Close) }()
}

func (f *file) follower() *file {
	f.entry.Lock()
	defer f.entry.Unlock()
	return f.next
}

// freePages is how many pages the next commits may use.
func (f *file) freePages() int {
	if f.dead() != nil {
		return 0
	}
	inside := f.db.Stats()
	return inside.FreePageN + inside.PendingPageN
}

// close closes the file. It waits for readers, unless the file is dead.
func (f *file) close() error {
	if f.closed.Swap(true) {
		return nil
	}
	if err := f.run(f.db.Close); f.dead() == nil {
		return err
	}
	return f.abandon()
}

// retire gives the file up for another one, even while somebody reads it.
func (f *file) retire() {
	if f.closed.Swap(true) {
		return
	}
	if f.kill(errMoved) {
		_ = unlockFile(f.os)
		go func() { _ = guard(f.db.Close) }() // ends with the last reader
		return
	}
	_ = f.abandon() // nobody could act on the error
}

// abandon closes a dead file. bbolt's own Close would wait for a lock that is held for
// ever. The mapping stays.
func (f *file) abandon() error {
	err := errors.Join(unlockFile(f.os), f.os.Close())
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

// sizeOf is the file's size in bytes, 0 if it cannot be determined.
func sizeOf(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
