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
	lockWait          = time.Second // long enough for a predecessor to close
	defaultKeepEvents = 10_000
)

// Options are options of [Open]; the zero value is usable.
type Options struct {
	Log        hclog.Logger     // nil: nothing is logged
	Now        func() time.Time // the wall clock, for names of files set aside, for first numbers, and to recognise impossible times in rows; nil: time.Now
	Owner      Owner            // this process, for another one that finds the database held
	KeepEvents int              // how many of the newest events are kept; 0: 10,000

	// CompactFrom is the smallest size in bytes at which the file is compacted if more than
	// half of it is free. 0 means 4 MiB.
	CompactFrom int64

	// step, if it is not nil, is called before each step of a compaction, which fails with its error. For
	// tests.
	step func(name string) error

	// Twin is a file on another file system, ideally one in memory, that repeats the
	// database's mark. It reveals a disk that loses data after confirming it. Empty: none.
	// A file that cannot be written does no harm.
	Twin string

	// Insecure are folders above the database's own that everybody may write.
	Insecure trust.Insecure

	// First is the number of the first event and of the first refresh in a database that
	// did not exist and of which nothing is known. 0, which is right for a daemon, means a
	// number beyond all that an earlier database at this path can have assigned.
	First uint64
}

// An Owner is a process that holds a database.
type Owner struct {
	PID    int    `json:"pid"`
	Socket string `json:"socket"` // its control socket
}

// A Store is an open database with the snapshot that reads come from. Its methods are
// safe for concurrent use.
type Store struct {
	path, twinPath string
	insecure       trust.Insecure
	log            hclog.Logger
	keep           uint64

	now func() time.Time

	file  atomic.Pointer[file] // the open file; replaced when it dies or is no longer at its path
	owner *ownerFile           // of the path; guarded by disk

	// What readers see: replaced as a whole, never changed in place.
	table   atomic.Pointer[table]
	journal atomic.Pointer[journal]

	closed chan struct{} // a channel that is always closed, for unknown ids

	generation atomic.Uint64 // the last one handed out
	reserved   atomic.Uint64 // the highest reserved on the disk
	began      uint64        // the generation at the start

	// mu serialises writers. It is held for work in memory only.
	mu       sync.Mutex
	closing  bool
	pending  *group              // waits for the next commit
	inFlight *group              // is being committed; nil between commits
	behind   map[*cell]*Row      // results without a change that came while their cell was in flight
	dirty    map[*cell]struct{}  // published, and newer than on the disk
	gaps     map[uint64]struct{} // gaps in the events that are logged already, by their last seq
	rodeAt   time.Time           // when dirty rows last joined a commit
	damaged  map[string]struct{} // damaged parts of the history that are logged already
	took     Durations           // of the commits, including failed ones

	// disk is held to keep writers away from the file.
	disk     sync.Mutex
	astray   atomic.Bool   // the open file is dead, or is not the one at the path
	unsynced atomic.Bool   // it was renamed to the path, and a power cut can undo that
	taken    error         // another daemon has the path; guarded by disk
	usurped  chan struct{} // closed when another daemon has it

	notes      map[string][]byte // see Notes; guarded by mu
	renumbered bool              // when it was opened
	bereft     bool              // likewise

	ledger ledger // the history that is not on the disk yet; has a lock of its own

	copying sync.Mutex // held while a Backup is open

	compactor compactor // the committer's

	commits underway.Work // commits that wait for the disk
	reads   underway.Work

	counts counts

	nudge chan struct{} // wakes the committer
	stop  chan struct{}
	done  chan struct{} // the committing goroutine has ended

	closeOnce sync.Once
	closeErr  error
}

// Open opens the database file at path, or creates it and, with mode 0700, its folder.
// Its rows are visible at once, marked as restored. No user but this one and root may be
// able to change where the path leads, or own one of its files.
//
// A file that another process holds is a [*HeldError] after about a second; one that a
// newer version wrote is a [*FutureError]. A damaged file is renamed to
// NAME.corrupt-TIME, and replaced by a new one with all that can be read of it; the log
// says so. Any other failure is an [*OpenError]. Close the store when done.
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
	if o.CompactFrom <= 0 {
		o.CompactFrom = compactFrom
	}
	folder := filepath.Dir(path)
	if err := o.Insecure.MkdirAll(folder, 0o700); err != nil {
		return nil, &OpenError{Op: "create the folder of the database", Path: path, Err: err}
	}
	deadline := time.Now().Add(lockWait)
	owner, err := lockOwner(path, o.Twin, deadline)
	if err != nil {
		return nil, err
	}
	// Left by a process that was killed. If this fails, a backup or a compaction reports it.
	_, _ = removeAny(backupPath(path)), removeAny(compactPath(path))
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
		// Only a later HeldError will say less.
		s.log.Warn("could not record the owner of the database", "path", owner.path(), "error", err)
	}
	s.reserve()
	go s.run()
	return s, nil
}

func newStore(path string, o Options, opened *file, owner *ownerFile, found *contents) *Store {
	s := &Store{
		path:     path,
		twinPath: o.Twin,
		insecure: o.Insecure,
		log:      o.Log,
		keep:     uint64(o.KeepEvents),
		now:      o.Now,
		owner:    owner,
		closed:   make(chan struct{}),
		pending:  newGroup(),
		behind:   make(map[*cell]*Row),
		dirty:    make(map[*cell]struct{}),
		gaps:     make(map[uint64]struct{}, len(found.gaps)),
		damaged:  make(map[string]struct{}),
		nudge:    make(chan struct{}, 1),
		stop:     make(chan struct{}),
		done:     make(chan struct{}),
		usurped:  make(chan struct{}),
		reads:    underway.Work{Most: mostReads},

		compactor: compactor{from: o.CompactFrom, step: o.step},
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
	found.past.stretch(&owner.twin.text, found, opened.number)
	s.ledger.resume(&found.past)
	s.renumbered, s.bereft = found.renumbered, found.bereft
	if s.notes = found.notes; s.notes == nil {
		s.notes = make(map[string][]byte)
	}
	// Also beyond those handed out while the disk refused reservations.
	s.began = found.generation
	if o.First == 0 {
		s.began = max(s.began, clockNumber(o.Now()))
	}
	s.generation.Store(s.began)
	s.reserved.Store(found.generation)
	return s
}

// boundRows returns restored rows without times that lie in the future: the clock was
// wrong when they were saved, or is wrong now.
func boundRows(rows []*Row, now time.Time, log hclog.Logger) []*Row {
	const tolerance = 5 * time.Second // clocks are adjusted a little now and then
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
		log.Warn("the database has times in the future: this machine's clock was fast then, or is slow now",
			"by", ahead.Round(time.Second).String())
	}
	return rows
}

// Restored returns the rows that [Open] read from the disk, by id. After the first
// [Store.Configure] it returns nothing.
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

// Close commits everything that is pending and every row that is newer than the disk,
// and closes the database. Its error says what could not be committed. Afterwards Put
// does nothing, and reads still answer from memory. Further calls return the first
// call's result.
//
// It waits up to ten seconds for the disk; see [Store.CloseWithin].
func (s *Store) Close() error { return s.CloseWithin(closeWithin) }

// CloseWithin is Close with another limit. If the disk does not answer in that time, the
// error says what is lost, and the database stays open and locked: a write in progress
// may still reach the file, which nobody else may use until then.
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
		// Once more, so that both of bbolt's meta pages refer to it, as one may rot.
		// What is committed is safe without this.
		_ = f.update(rewriting(func(*head) {}))
	}
	closed := f.close()
	if closed != nil {
		closed = fmt.Errorf("close the database %s: %w", s.path, closed)
	}
	return errors.Join(committed, closed, s.owner.release())
}
