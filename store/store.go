package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
	"github.com/providerd/providerd/store/underway"
)

const (
	lockWait          = time.Second // long enough for a predecessor that is closing
	defaultKeepEvents = 10_000
)

// Options are what [Open] needs to know; the zero value is usable.
type Options struct {
	Log        hclog.Logger     // nil: nothing is logged
	Now        func() time.Time // the clock on the wall: bounds what is read, names what is kept aside, and numbers begin with it; nil: time.Now
	Owner      Owner            // who we are, for whoever finds the database held
	KeepEvents int              // how many events are kept, the newest; 0: 10,000

	// Twin is a file on another file system, best one in memory, that repeats how far the
	// database has come: a disk that loses what it has confirmed is found out by it.
	// Empty: there is none. A file that cannot be written does no harm.
	Twin string

	// First is the number of the first event and of the first refresh of a database
	// that was not there, and of which nothing is known; 0: one beyond all that an
	// earlier database at this path can have given, and so that is what a daemon
	// wants.
	First uint64
}

// An Owner is the process that holds a database.
type Owner struct {
	PID    int    `json:"pid"`
	Socket string `json:"socket"` // where it answers
}

// A Store is an open database and the snapshot that reads come from. Its methods
// may be called by many goroutines at once.
type Store struct {
	path, twinPath string
	log            hclog.Logger
	keep           uint64

	now func() time.Time

	file  atomic.Pointer[file] // that is open; replaced when it dies or loses its place
	owner *ownerFile           // of the path; guarded by disk

	// What readers see; replaced as a whole, never changed in place.
	table   atomic.Pointer[table]
	journal atomic.Pointer[journal]

	closed chan struct{} // a channel that is always closed, for ids that are unknown

	generation atomic.Uint64 // the last one handed out
	reserved   atomic.Uint64 // those up to here are spent, as far as the disk knows
	began      uint64        // the generation at the start

	// mu orders writers. It is held for work in memory only.
	mu       sync.Mutex
	closing  bool
	pending  *group              // waits for the next commit
	inFlight *group              // is being committed; nil between commits
	behind   map[*cell]*Row      // unchanged results that came while their cell was in flight
	dirty    map[*cell]struct{}  // published, newer than on the disk
	gaps     map[uint64]struct{} // in the events: those that are logged, by their last
	rodeAt   time.Time           // when dirty rows last went along with a commit
	took     Durations           // of the commits, those that failed too

	// disk is held by whoever needs the file without a writer beside it.
	disk    sync.Mutex
	astray  atomic.Bool   // the open file is not what is at the path, or is dead
	taken   error         // another daemon has the path; guarded by disk
	usurped chan struct{} // closed when another has it

	copying sync.Mutex // held while a Backup is open

	commits underway.Work // what waits for the disk, which may not answer
	reads   underway.Work

	counts counts

	nudge chan struct{} // there is something to commit
	stop  chan struct{}
	done  chan struct{} // the committing goroutine has ended

	closeOnce sync.Once
	closeErr  error
}

// Open opens the database file at path, or creates it and, with mode 0700, its
// folder. What it says about rows is in view at once, as restored. No other user
// but root may have a say in where the path leads, nor own one of its files.
//
// A file that another process holds is a [*HeldError] after about a second; one
// of a newer version is a [*FutureError]. A damaged one is renamed to
// NAME.corrupt-TIME, logged, and replaced by a new one with all that can be read of
// it. Everything else is an [*OpenError]. Close the store when done.
func Open(path string, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.KeepEvents <= 0 {
		o.KeepEvents = defaultKeepEvents
	}
	folder := filepath.Dir(path)
	if err := trust.MkdirAll(folder, 0o700); err != nil {
		return nil, &OpenError{Op: "create the folder of the database", Path: path, Err: err}
	}
	deadline := time.Now().Add(lockWait)
	owner, err := lockOwner(path, o.Twin, deadline)
	if err != nil {
		return nil, err
	}
	_ = removeAny(backupPath(path)) // of a predecessor that was killed; Backup says why it cannot be
	opened, found, err := openFile(path, deadline, o, owner)
	if err != nil {
		var held *HeldError
		if errors.As(err, &held) && !ownerLocked {
			held.Owner = owner.text.Owner
		}
		_ = owner.release() // the error that counts is the first
		return nil, err
	}
	s := newStore(path, o, opened, owner, found)
	here := mark{File: opened.number, Tx: found.txid, Seq: found.newest, Generation: found.generation}
	if err := owner.write(ownerText{o.Owner, here}); err != nil {
		// Only a later HeldError is the poorer for it.
		s.log.Warn("the owner of the database is not recorded", "path", owner.path(), "error", err)
	}
	s.reserve()
	go s.run()
	return s, nil
}

func newStore(path string, o Options, opened *file, owner *ownerFile, found *contents) *Store {
	s := &Store{
		path:     path,
		twinPath: o.Twin,
		log:      o.Log,
		keep:     uint64(o.KeepEvents),
		now:      o.Now,
		owner:    owner,
		closed:   make(chan struct{}),
		pending:  newGroup(),
		behind:   make(map[*cell]*Row),
		dirty:    make(map[*cell]struct{}),
		gaps:     make(map[uint64]struct{}, len(found.gaps)),
		nudge:    make(chan struct{}, 1),
		stop:     make(chan struct{}),
		done:     make(chan struct{}),
		usurped:  make(chan struct{}),
		reads:    underway.Work{Most: mostReads},
	}
	close(s.closed)
	opened.txid.Store(int64(found.txid))
	s.use(opened)
	t := newTable(len(found.rows))
	for _, row := range boundRows(found.rows, o.Now(), o.Log) {
		t.add(newCell(row))
	}
	for _, gap := range found.gaps {
		s.gaps[gap.Last] = struct{}{}
	}
	if len(found.gaps) > 0 {
		sayGaps(s.log, path, found.gaps...)
	}
	s.table.Store(t)
	s.journal.Store(newJournal(found))
	// Beyond what was given while the disk refused to take note of it, too.
	s.began = found.generation
	if o.First == 0 {
		s.began = max(s.began, clockNumber(o.Now()))
	}
	s.generation.Store(s.began)
	s.reserved.Store(found.generation)
	return s
}

// boundRows returns rows of the disk without times that cannot be true now. Where
// there were some, the clock was wrong when they were saved, or is wrong now.
func boundRows(rows []*Row, now time.Time, log hclog.Logger) []*Row {
	const tolerance = 5 * time.Second // of clocks that are set a little every now and then
	ahead := time.Duration(0)
	for i, row := range rows {
		was := &row.Status
		for _, t := range []provider.Time{was.CheckedAt, was.Since, was.LastOKAt} {
			ahead = max(ahead, t.Sub(now))
		}
		if bounded, err := newRow(Update{Status: was.Bounded(now)}); err == nil {
			rows[i] = bounded
		}
	}
	if ahead > tolerance {
		log.Warn("the database has times in the future: this machine's clock was ahead, or is behind now",
			"by", ahead.Round(time.Second).String())
	}
	return rows
}

// Restored returns the rows as they were read from the disk by [Open], by id. After the
// first [Store.Configure] they are gone.
func (s *Store) Restored() map[string]provider.Status {
	t := s.table.Load()
	rows := make(map[string]provider.Status, len(t.cells))
	if !t.configured {
		for _, c := range t.cells {
			rows[c.id()] = c.row.Load().Status
		}
	}
	return rows
}

// Close commits what is pending and every row that is newer than the disk, and
// closes the database. Its error says what could not be committed. After it,
// Put does nothing, and reads still answer from memory. Further calls return
// what the first one did.
//
// It waits for the disk for at most ten seconds; see [Store.CloseWithin].
func (s *Store) Close() error { return s.CloseWithin(closeWithin) }

// CloseWithin is Close with another limit. When the disk does not answer in that
// time, the error says what is lost, and the database stays open and locked: a write
// that is under way may reach the file yet, which nobody else may have then.
func (s *Store) CloseWithin(limit time.Duration) error {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		s.closing = true
		s.mu.Unlock()
		close(s.stop)
		s.closeErr = s.closeWithin(limit)
	})
	return s.closeErr
}

func (s *Store) close() error {
	<-s.done

	committed := s.commit(true)
	close(s.journal.Load().next)

	s.disk.Lock()
	defer s.disk.Unlock()
	f := s.file.Load()
	if committed == nil {
		// Once more, so that both of bbolt's meta pages lead to it: one may rot. What
		// is committed is safe without that.
		_ = f.update(rewriting(func(*head) {}))
	}
	closed := f.close()
	if closed != nil {
		closed = fmt.Errorf("close the database %s: %w", s.path, closed)
	}
	return errors.Join(committed, closed, s.owner.release())
}
