package store

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/providerd/providerd/store/provider"
)

// maxScan is how many pages are looked at one by one, at most: of 4 KiB, 1 GiB.
const maxScan = 1 << 18

// A salvage is what can be read of a damaged file. Each page is looked at for what
// it is, and trusted for no more.
type salvage struct {
	version    uint64 // of the schema; 0 when it cannot be read
	copied     bool
	rows       map[string]*Row
	older      []string // ids whose row is of an earlier commit, because the newest cannot be read
	lost       []string // ids that had a row, and have none
	events     map[uint64]provider.Event
	newest     uint64 // the newest seq ever given, as far as it can be read
	generation uint64
	sure       bool // newest is what the newest commit says
	unreadable int  // pages of the newest commit, with all that only they lead to
	metas      int  // pages at the head of the file that are whole, of two
	txid       uint64

	keep  int    // events, the newest
	below uint64 // only events before this one
}

// salvageFile collects what can be read: first what the newest commit leads to;
// then, where a page of that is missing, what the commit before it does; then what
// stands on a page to which nothing leads any more.
//
// It keeps the newest events before below, and at least keep of them.
func salvageFile(r io.ReaderAt, size int64, keep int, below uint64) *salvage {
	s := &salvage{rows: make(map[string]*Row), events: make(map[uint64]provider.Event), keep: keep, below: below}
	found := images(r, size)
	s.metas = len(found)
	if len(found) > 0 {
		s.txid = found[0].txid
	}
	if len(found) == 0 {
		return s
	}
	if s.unreadable = s.root(found[0], true); s.unreadable == 0 && s.metas == 2 {
		return s.settle()
	}
	recent := maps.Clone(s.rows)
	for _, im := range found[1:] {
		s.root(im, false)
	}
	s.scan(found[0])
	for id := range s.rows {
		if recent[id] == nil {
			s.older = append(s.older, id)
		}
	}
	slices.Sort(s.older)
	s.lost = slices.DeleteFunc(s.lost, func(id string) bool { return s.rows[id] != nil })
	return s.settle()
}

// root collects what the root of one commit leads to, and returns how many pages
// could not be read.
func (s *salvage) root(im *image, newest bool) (unreadable int) {
	return im.walk(im.root, nil, nil, func(bucket element) int {
		if !bucket.bucket {
			return 0
		}
		root, page, err := inline(bucket.value)
		if err != nil {
			return 1
		}
		var take func(e element) int
		switch name := string(bucket.key); name {
		case string(metaBucket()):
			take = s.takeMeta
		case string(rowsBucket()):
			take = s.takeRow
		case string(eventsBucket()):
			if len(s.events) == 0 && !s.sure { // the newest commit that tells
				s.newest = binary.NativeEndian.Uint64(bucket.value[8:])
				s.sure = newest && s.metas == 2 // the one that is lost may be newer
			}
			take = s.takeEvent
		default:
			return 0
		}
		if page == nil {
			return im.walk(root, nil, nil, take)
		}
		return walkLeaf(page, nil, nil, take)
	})
}

// walk calls take for each element below a page, and returns how many pages could
// not be read, and how many elements not be taken.
func (im *image) walk(id uint64, low, high []byte, take func(element) int) (unreadable int) {
	page, err := im.page(id)
	if err != nil {
		return 1
	}
	switch flagsOf(page) {
	case leafFlag:
		return walkLeaf(page, low, high, take)
	case branchFlag:
	default:
		return 1
	}
	keys, ids, err := children(page)
	if err != nil || inOrder(keys, low, high) != nil {
		return 1
	}
	keys = append(keys, high)
	for i, child := range ids {
		unreadable += im.walk(child, keys[i], keys[i+1], take)
	}
	return unreadable
}

func walkLeaf(page, low, high []byte, take func(element) int) (unreadable int) {
	found, err := elements(page)
	if err != nil || inOrder(keysOf(found), low, high) != nil {
		return 1
	}
	for _, e := range found {
		unreadable += take(e)
	}
	return unreadable
}

// The first that is found of each is taken: it is of the newest commit that has it.

func (s *salvage) takeMeta(e element) int {
	n, err := strconv.ParseUint(string(e.value), 10, 64)
	switch string(e.key) {
	case string(schemaKey()):
		if s.version == 0 && err == nil {
			s.version = n
		}
	case string(generationKey()):
		if s.generation == 0 && err == nil {
			s.generation = n
		}
	case string(copyKey()):
		s.copied = true
	}
	if err != nil {
		return 1
	}
	return 0
}

func (s *salvage) takeRow(e element) int {
	if _, ok := s.rows[string(e.key)]; ok {
		return 0
	}
	row, err := decodeRow(string(e.key), e.value)
	if err != nil {
		if id := string(e.key); !slices.Contains(s.lost, id) {
			s.lost = append(s.lost, id)
		}
		return 1
	}
	s.rows[row.Status.ID] = row
	return 0
}

func (s *salvage) takeEvent(e element) int {
	event, err := decodeEvent(e.key, e.value)
	if err != nil {
		return 1
	}
	if _, ok := s.events[event.Seq]; !ok && event.Seq < s.below {
		s.events[event.Seq] = event
		if len(s.events) > 2*s.keep+recentEvents {
			s.trim()
		}
	}
	return 0
}

// trim bounds what is held in memory.
func (s *salvage) trim() {
	seqs := s.seqs()
	for _, seq := range seqs[:max(0, len(seqs)-s.keep)] {
		delete(s.events, seq)
	}
}

// scan looks at the pages to which nothing leads and that are not free. What stands
// there is as old as any commit may be: a row that another one was found for is not
// taken, and of two the one that was checked last.
func (s *salvage) scan(im *image) {
	free := &image{r: im.r, size: im.size, pageSize: im.pageSize, freelist: im.freelist, end: im.end, seen: pageSet{}}
	_ = free.free() // as many as can be read
	known := maps.Clone(s.rows)
	for id := uint64(2); id < min(im.end, im.size/im.pageSize, maxScan); id++ {
		if free.seen.has(id) {
			continue
		}
		page, err := im.read(id)
		if err != nil || flagsOf(page) != leafFlag {
			continue
		}
		walkLeaf(page, nil, nil, func(e element) int {
			switch {
			case e.bucket || len(e.key) == 0:
			case e.key[0] == 0: // as of every event, and of no id
				s.takeEvent(e)
			case known[string(e.key)] == nil:
				s.takeNewerRow(e)
			}
			return 0
		})
	}
}

func (s *salvage) takeNewerRow(e element) {
	row, err := decodeRow(string(e.key), e.value)
	if err != nil {
		return
	}
	if old := s.rows[row.Status.ID]; old == nil || row.Status.CheckedAt.After(old.Status.CheckedAt.Time) {
		s.rows[row.Status.ID] = row
	}
}

// settle leaves out what was never given: events after the newest, as far as that
// is known.
func (s *salvage) settle() *salvage {
	if s.newest > maxNumber {
		s.newest, s.sure = 0, false
	}
	if s.generation > maxNumber {
		s.generation = 0
	}
	last := uint64(0)
	for seq := range s.events {
		last = max(last, seq)
	}
	if last > s.newest && s.sure {
		maps.DeleteFunc(s.events, func(seq uint64, _ provider.Event) bool { return seq > s.newest })
	}
	s.newest = max(s.newest, last)
	s.trim()
	return s
}

// seqs returns the events' numbers in order.
func (s *salvage) seqs() []uint64 { return slices.Sorted(maps.Keys(s.events)) }

// missing is how many events there should be between those that were found and the
// newest.
func (s *salvage) missing() uint64 {
	seqs := s.seqs()
	if len(seqs) == 0 {
		return 0
	}
	return s.newest - seqs[0] + 1 - uint64(len(seqs))
}

// empty reports whether nothing was found.
func (s *salvage) empty() bool { return len(s.rows) == 0 && len(s.events) == 0 }
