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
	head       *head  // of the newest commit; nil when it cannot be read
	copied     bool
	rows       map[string]*Row
	values     map[string][]byte // of rows, by id
	bad        map[string][]byte // likewise, of those that are damaged
	older      []string          // ids whose row may be older than what was seen
	lost       []string          // ids that had a row, and have none
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
	s := &salvage{
		rows: make(map[string]*Row), values: make(map[string][]byte), bad: make(map[string][]byte),
		events: make(map[uint64]provider.Event), keep: keep, below: below,
	}
	found := images(r, size)
	s.metas = len(found)
	if len(found) > 0 {
		s.txid = found[0].txid
	}
	if len(found) == 0 {
		return s
	}
	s.unreadable = s.root(found[0], true)
	newest := maps.Clone(s.rows)
	if s.unreadable > 0 || s.metas < 2 || s.incomplete() {
		for _, im := range found[1:] {
			s.root(im, false)
		}
		s.scan(found[0])
	}
	s.weigh(newest)
	return s.settle()
}

// incomplete reports whether rows are missing in the newest commit, or events.
func (s *salvage) incomplete() bool {
	if s.head == nil {
		return true
	}
	return s.head.Rows.without(s.values) != (rowSums{}) || uint64(len(s.events)) < s.head.Newest+1-s.head.Oldest
}

// weigh leaves of the rows that may be older than what was seen only whether probing
// is paused: those that the head does not account for or, without it, those that are
// not of the newest commit.
func (s *salvage) weigh(newest map[string]*Row) {
	doubted := func(id string) bool { return newest[id] == nil }
	if s.version == 1 {
		doubted = func(string) bool { return false }
	} else if s.head != nil {
		doubted, _ = s.head.Rows.doubt(s.values, s.bad)
	}
	if s.version != 1 && !s.sure && s.head != nil { // there may have been another commit
		doubted = func(string) bool { return true }
	}
	for id, row := range s.rows {
		if !doubted(id) {
			continue
		}
		s.older = append(s.older, id)
		if s.rows[id] = onlyPaused(row); s.rows[id] == nil {
			delete(s.rows, id)
		}
	}
	for id := range s.bad {
		if s.rows[id] == nil {
			s.lost = append(s.lost, id)
		}
	}
	slices.Sort(s.older)
	slices.Sort(s.lost)
}

// onlyPaused is what is left of a row that may be older than what was seen: that a
// person paused the probing, which nobody can find out again. It is nil where that
// was not so.
func onlyPaused(row *Row) *Row {
	st := &row.Status
	if !st.Paused {
		return nil
	}
	bare, err := newRow(Update{Status: provider.Status{
		ID: st.ID, Kind: st.Kind, Type: st.Type, Endpoint: st.Endpoint, TTLMS: st.TTLMS,
		State: provider.StateUnknown, Reason: provider.Paused, Paused: true, Source: provider.FromRestored,
	}})
	if err != nil {
		return nil
	}
	return bare
}

// root collects what the root of one commit leads to, and returns how many pages
// could not be read. What meta says comes first: how to read the others.
func (s *salvage) root(im *image, newest bool) (unreadable int) {
	buckets := make(map[string]element)
	unreadable = im.walk(im.root, nil, nil, func(e element) int {
		if e.bucket {
			buckets[string(e.key)] = e
		}
		return 0
	})
	for _, part := range []struct {
		name []byte
		take func(element) int
	}{
		{metaBucket(), func(e element) int { return s.takeMeta(e, newest) }},
		{rowsBucket(), s.takeRow},
		{eventsBucket(), s.takeEvent},
	} {
		bucket, ok := buckets[string(part.name)]
		if !ok {
			unreadable++
			continue
		}
		root, page, err := inline(bucket.value)
		switch {
		case err != nil:
			unreadable++
		case page != nil:
			unreadable += walkLeaf(page, nil, nil, part.take)
		default:
			unreadable += im.walk(root, nil, nil, part.take)
		}
		if string(part.name) == string(metaBucket()) {
			s.number(buckets[string(eventsBucket())], im, newest)
		}
	}
	return unreadable
}

// number takes the number of the newest event from the newest commit that tells. It
// is sure when there was none after that.
func (s *salvage) number(events element, im *image, newest bool) {
	if s.newest != 0 {
		return
	}
	if s.version == 1 && len(events.value) >= bucketHeader {
		s.newest = binary.NativeEndian.Uint64(events.value[8:])
		s.sure = newest && s.metas == 2
		return
	}
	if h := s.head; h != nil {
		s.newest = h.Newest
		s.sure = newest && h.Commit == im.txid && (s.metas == 2 || h.Closed)
	}
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

func (s *salvage) takeMeta(e element, newest bool) int {
	var err error
	var n uint64
	switch string(e.key) {
	case string(headKey()):
		h, err := decodeHead(e.value)
		if err != nil {
			return 1
		}
		if newest {
			s.head, s.copied, s.version = h, h.Copy, uint64(h.Schema)
		}
		s.generation = max(s.generation, h.Generation)
		return 0
	case string(schemaKey()):
		if n, err = strconv.ParseUint(string(e.value), 10, 64); err == nil && s.version == 0 {
			s.version = n
		}
	case string(generationKey()): // of schema 1
		if n, err = strconv.ParseUint(string(e.value), 10, 64); err == nil && s.generation == 0 {
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

// text is what a value says: schema 1 had no checksums.
func (s *salvage) text(bucket []byte, e element) ([]byte, error) {
	if s.version == 1 {
		return e.value, nil
	}
	return unseal(bucket, e.key, e.value)
}

func (s *salvage) decodeRow(e element) (*Row, error) {
	text, err := s.text(rowsBucket(), e)
	if err != nil {
		return nil, err
	}
	return readRow(string(e.key), text)
}

func (s *salvage) takeRow(e element) int {
	id := string(e.key)
	if _, ok := s.rows[id]; ok {
		return 0
	}
	row, err := s.decodeRow(e)
	if err != nil {
		s.bad[id] = e.value
		return 1
	}
	s.rows[id], s.values[id] = row, e.value
	return 0
}

func (s *salvage) takeEvent(e element) int {
	text, err := s.text(eventsBucket(), e)
	seq, ok := seqOf(e.key)
	if err != nil || !ok {
		return 1
	}
	event, err := decodeEvent(seq, text)
	if err != nil {
		return 1
	}
	if s.head != nil && seq < s.head.Oldest {
		return 0 // trimmed, or of a life before this one
	}
	if _, ok := s.events[seq]; !ok && seq < s.below {
		s.events[seq] = event
		if len(s.events) > 2*s.keep+recentEvents {
			s.trim()
		}
	}
	return 0
}

// first is the oldest event that there should be, of those that are kept from oldest on.
func (s *salvage) first(oldest uint64) uint64 {
	return max(oldest, s.newest+1-min(s.newest, uint64(s.keep)))
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
	row, err := s.decodeRow(e)
	if err != nil {
		return
	}
	id := row.Status.ID
	if old := s.rows[id]; old == nil || row.Status.CheckedAt.After(old.Status.CheckedAt.Time) {
		s.rows[id], s.values[id] = row, e.value
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
	if last > s.newest && s.version == 1 { // whose number of the newest event has no checksum
		s.sure = false
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
