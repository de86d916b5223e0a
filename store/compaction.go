package store

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	chunkSize  = 256 << 10 // bytes of values that are written and synced at a time
	mostRest   = 20 * time.Millisecond
	mostMissed = 256 // commits while a copy is made
)

// A compaction copies everything in a file into a new one, as one transaction sees it. It knows
// buckets, keys and values, but not what they mean, except for the head.
//
// bbolt has a Compact of its own, but it cannot be aborted, fills pages to the last byte, and
// does not verify what it wrote. While it reads the old file, it has a write transaction open
// in the new one, so a panic about a damaged page leaves the locks of both files held. [build]
// would need everything in memory.
//
// Each chunk is read, written and synced before the next, with a rest in between. So memory use
// is small, a hanging disk is noticed, the sync of a commit waits for one chunk at most, and
// half of the processor's time is left to others.
type compaction struct {
	store  *Store
	source *file
	made   *file // set once it has ended without an error
	err    error // set once it has ended
	before int64 // the size of source in bytes
	began  time.Time

	missed []func(*bolt.Tx) error // committed since; guarded by the store's disk
	behind atomic.Bool            // there are too many of them

	begin   sync.Once
	reading chan struct{} // closed when it has begun to read
	done    chan struct{}
}

func newCompaction(s *Store, source *file) *compaction {
	return &compaction{
		store: s, source: source, before: source.size.Load(), began: time.Now(),
		reading: make(chan struct{}), done: make(chan struct{}),
	}
}

// note keeps a commit, to repeat it in the new file.
func (c *compaction) note(fn func(*bolt.Tx) error) {
	if len(c.missed) == mostMissed {
		c.behind.Store(true)
		return
	}
	c.missed = append(c.missed, fn)
}

func (c *compaction) hasEnded() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *compaction) started() { c.begin.Do(func() { close(c.reading) }) }

// run makes the new file, and notifies the committer.
func (c *compaction) run() {
	defer c.store.wake()
	defer close(c.done)
	defer c.started() // even if it could not begin
	err := c.source.judge(guard(func() error {
		return c.source.read(func(tx *bolt.Tx) error {
			c.started()
			c.err = c.copy(tx)
			return nil // an error of the new file must not look like damage of the old one
		})
	}))
	if c.err == nil {
		c.err = err
	}
	if c.source.dead() != nil {
		c.err = errOvertaken // the committer replaces a dead file
	}
	if c.err != nil {
		c.discard()
	}
}

var errBehind = fmt.Errorf("the disk is too slow: more than %d commits came meanwhile", mostMissed)

// interrupted returns why to stop, nil if there is no reason.
func (c *compaction) interrupted() error {
	select {
	case <-c.store.stop:
		return errOvertaken
	default:
	}
	switch {
	case c.source.dead() != nil:
		return errOvertaken
	case c.behind.Load():
		return errBehind
	}
	return nil
}

// do runs one step, and notices a disk that hangs in it.
func (c *compaction) do(step string, fn func() error) error {
	if err := c.interrupted(); err != nil {
		return err
	}
	defer c.store.reads.Begin("compacting " + c.store.path)()
	if err := c.store.compactor.at(step); err != nil {
		return err
	}
	return fn()
}

// copy makes the new file, with the content, the mode and the owner of the old one.
func (c *compaction) copy(tx *bolt.Tx) error {
	id := rand.Uint64() // in a new file, bbolt numbers its transactions from the start
	var txid int
	created := sync.OnceFunc(c.store.reads.Begin("compacting " + c.store.path))
	defer created()
	db, f, err := makeFile(compactPath(c.store.path), func(db *bolt.DB, f *os.File) error {
		created()
		db.NoSync, db.NoGrowSync = true, true // each chunk is synced once
		if err := c.fill(tx, db, f); err != nil {
			return err
		}
		db.NoSync, db.NoGrowSync = false, false
		last := func(tx *bolt.Tx) error {
			txid = tx.ID()
			return rewriting(func(h *head) { h.ID = id })(tx)
		}
		return c.do("head", func() error {
			// Twice, so that both of bbolt's meta pages refer to it.
			return errors.Join(keepOwner(f, c.source.os), db.Update(last), db.Update(last), f.Sync())
		})
	})
	if err != nil {
		return err
	}
	made, err := newFile(db, f, id)
	if err != nil {
		_ = db.Close()
		return errors.Join(err, removeAny(compactPath(c.store.path)))
	}
	made.txid.Store(int64(txid))
	c.made = made
	return c.do("verify", c.verify)
}

// fill copies chunk by chunk, and compares what it wrote with what it can read.
func (c *compaction) fill(tx *bolt.Tx, db *bolt.DB, f *os.File) error {
	seed := maphash.MakeSeed()
	wrote := digest(seed)
	var next chunk
	var wrong error // with the new file
	began := time.Now()
	flush := func() error {
		wrong = c.do("chunk", func() error { return guard(func() error { return next.write(db, f) }) })
		next = next.emptied()
		unmap(c.source.db, tx)
		began = c.rest(began)
		return wrong
	}
	err := c.source.judge(guard(func() error {
		return eachPair(tx, func(p pair) error {
			wrote.add(p)
			if err := p.check(); err != nil {
				return &corruptError{err} // judge kills the file, which is then replaced
			}
			if next = next.with(p); next.size() < chunkSize {
				return nil
			}
			if flush() != nil {
				return errNotWritten
			}
			return nil
		})
	}))
	switch {
	case c.source.dead() != nil:
		return errOvertaken
	case err == nil:
		err = flush()
	}
	if err := cmp.Or(wrong, err); err != nil {
		return err
	}
	if err := c.do("read back", func() error { return nil }); err != nil {
		return err
	}
	read, err := c.readBack(db, seed)
	if err == nil && read != wrote.Sum64() {
		err = errors.New("the new file does not have the content of the old one")
	}
	return err
}

// readBack returns the hash of the content of the new file.
func (c *compaction) readBack(db *bolt.DB, seed maphash.Seed) (uint64, error) {
	read, size, began := digest(seed), 0, time.Now()
	what := "compacting " + c.store.path
	end := c.store.reads.Begin(what)
	defer func() { end() }()
	err := db.View(func(tx *bolt.Tx) error {
		defer unmap(db, tx)
		return eachPair(tx, func(p pair) error {
			read.add(p)
			if size += len(p.key) + len(p.value); size < chunkSize {
				return nil
			}
			unmap(db, tx)
			end() // each piece has a time of its own
			began, size = c.rest(began), 0
			end = c.store.reads.Begin(what)
			return c.interrupted()
		})
	})
	return read.Sum64(), err
}

// errNotWritten stops reading the old file because the new one failed.
var errNotWritten = errors.New("the new file cannot be written")

// rest waits for as long as the work since then took, so that others can run, and returns the
// time afterwards. It waits for mostRest at most, because work that took longer was waiting for
// the disk.
func (c *compaction) rest(since time.Time) time.Time {
	took := min(time.Since(since), mostRest)
	if took <= 0 {
		return since
	}
	rest := time.NewTimer(took)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-c.store.stop:
	}
	return time.Now()
}

// verify examines the new file.
func (c *compaction) verify() error {
	if _, err := verifyFile(c.made.os); err != nil {
		return err
	}
	return c.made.view(func(tx *bolt.Tx) error {
		c.made.end.Store(tx.Size())
		h, err := readHead(tx)
		if err != nil {
			return err
		}
		if why := h.outdated(uint64(tx.ID()), metasOf(c.made.os)); why != "" {
			return errors.New(why)
		}
		return nil
	})
}

// catchUp repeats what has been committed since the copy began. The caller holds the store's
// disk.
func (c *compaction) catchUp() error {
	if err := c.store.compactor.at("catch up"); err != nil || len(c.missed) == 0 {
		return err
	}
	if c.behind.Load() {
		return errBehind
	}
	err := c.made.update(func(tx *bolt.Tx) error {
		for _, commit := range c.missed {
			if err := commit(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = c.made.update(rewriting(func(*head) {})) // so that both meta pages refer to this
	}
	return err
}

// discard closes and removes the new file, if there is one.
func (c *compaction) discard() {
	if c.made == nil {
		return
	}
	c.made.retire()
	c.made = nil
	_ = removeAny(compactPath(c.store.path)) // if it fails, the next compaction or start does it
}
