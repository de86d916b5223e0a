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

// A salvage is what can be read of a damaged file. Each page is checked on its own,
// and nothing is trusted that its page does not prove.
type salvage struct {
	version    uint64 // of the schema; 0 when it cannot be read
	head       *head  // of the newest commit; nil when it cannot be read
	copied     bool
	rows       map[string]*Row
	values     map[string][]byte // of rows, by id
	bad        map[string][]byte // of damaged rows, by id
	older      []string          // ids whose row may be older than one that a client has seen
	lost       []string          // ids whose row is lost
	events     map[uint64]provider.Event
	newest     uint64 // the newest seq ever assigned, as far as it can be read
	generation uint64
	sure       bool // newest comes from the newest commit
	unreadable int  // pages of the newest commit that cannot be read
	metas      int  // how many of the file's two meta pages are intact
	txid       uint64

	keep  int    // how many of the newest events
	below uint64 // only events before this one
}

// salvageFile collects what can be read: first what the newest commit refers to;
// then, if one of its pages is missing, what the commit before it refers to; then
// what is on pages that nothing refers to any more.
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
	return s.sift()
}

// incomplete reports whether the newest commit lacks rows or events.
func (s *salvage) incomplete() bool {
	if s.head == nil {
		return true
	}
	return s.head.Rows.without(s.values) != (rowSums{}) || uint64(len(s.events)) < s.head.Newest+1-s.head.Oldest
}

// weigh reduces each row that may be older than one that a client has seen to whether
// its probing is paused. Those are the rows that the head's sums do not account for
// or, without a head, the rows that are not from the newest commit.
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

// onlyPaused is what is kept of a row that may be out of date: that a person paused
// the probing, which no probe can find out again. It is nil if probing was not paused.
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

// root collects what the root of one commit refers to, and returns how many pages
// could not be read. The meta bucket comes first: it says how to read the others.
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

// number takes the newest event's number from the newest commit that has it. It is
// sure if there was no commit after that one.
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

// walk calls take for each element below a page, and returns the number of pages that
// could not be read plus the number of elements that take refused.
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

// takeMeta and the other take functions keep the first of each that they meet: it is
// from the newest commit that has it.

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

// text is a value without its checksum, which schema 1 did not have.
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
		return 0 // trimmed, or from before a restore
	}
	if _, ok := s.events[seq]; !ok && seq < s.below {
		s.events[seq] = event
		if len(s.events) > 2*s.keep+recentEvents {
			s.trim()
		}
	}
	return 0
}

// first is the seq of the oldest event that is to be kept, given the oldest that was.
func (s *salvage) first(oldest uint64) uint64 {
	return max(oldest, s.newest+1-min(s.newest, uint64(s.keep)))
}

// trim limits how many events are held in memory.
func (s *salvage) trim() {
	seqs := s.seqs()
	for _, seq := range seqs[:max(0, len(seqs)-s.keep)] {
		delete(s.events, seq)
	}
}

// scan reads the pages that nothing refers to and that are not free. A row on such a
// page may be from any earlier commit: it is taken only where no other was found, and
// of two the one that was checked last.
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
			case e.key[0] == 0: // true of every event's key, and of no id
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

// sift drops events that were never shown: those after the newest, where that is
// known for sure.
func (s *salvage) sift() *salvage {
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
	if last > s.newest && s.version == 1 { // in schema 1 the newest number has no checksum
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

// missing is how many events are lost between the oldest that was found and the newest.
func (s *salvage) missing() uint64 {
	seqs := s.seqs()
	if len(seqs) == 0 {
		return 0
	}
	return s.newest - seqs[0] + 1 - uint64(len(seqs))
}

// empty reports whether nothing was found.
func (s *salvage) empty() bool { return len(s.rows) == 0 && len(s.events) == 0 }
