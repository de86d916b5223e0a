package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"
)

// A head describes the database as a whole. Each commit writes it, so that a part of
// the file that is older than the rest can be told.
type head struct {
	Schema     int     `json:"schema"`
	ID         uint64  `json:"id"`         // random; unique to this database
	Commit     uint64  `json:"commit"`     // bbolt's number of the transaction that wrote it
	Generation uint64  `json:"generation"` // the highest that may have been handed out
	Oldest     uint64  `json:"oldest"`     // seq of the oldest event kept; newest+1 if there are none
	Newest     uint64  `json:"newest"`     // the highest seq ever assigned
	Copy       bool    `json:"copy,omitempty"`
	Closed     bool    `json:"closed,omitempty"` // the last commit of an orderly stop
	Rows       rowSums `json:"rows"`

	// About the history. Times are in ms since 1970.
	Alive int64  `json:"alive,omitempty"` // until when providers were watched
	Until int64  `json:"until,omitempty"` // when the last closed hour ended
	Rolls uint64 `json:"rolls,omitempty"` // how often hours were closed
	Days  int64  `json:"days,omitempty"`  // hours before this have been added up to days
	Batch uint64 `json:"batch,omitempty"` // the last batch in the file
}

// rowSums prove that every row is present and none is out of date. Each row's
// checksum, mixed, is XORed into one of them.
type rowSums [64]uint32

// toggle adds a row's checksum, or removes it.
func (s *rowSums) toggle(id []byte, sum uint32) { s[sumOf(id)] ^= mixed(sum) }

// mixed maps checksums to other numbers, one to one (the finalizer of MurmurHash3).
// A CRC is linear: if two rows changed by the same bits, as when both are paused, the
// changes would cancel out, and their older versions would pass for the newest.
func mixed(sum uint32) uint32 {
	sum = (sum ^ sum>>16) * 0x85ebca6b
	sum = (sum ^ sum>>13) * 0xc2b2ae35
	return sum ^ sum>>16
}

// doubt compares the sums with the rows that were found, by id: good are values whose
// own checksum is right, and bad the others. It returns which of the good ones may be
// out of date, and whether rows are missing whose ids are unknown.
func (s rowSums) doubt(good, bad map[string][]byte) (doubted func(id string) bool, missing bool) {
	s = s.without(good)
	// What is left is not accounted for by the good rows. That is fine if a single
	// bad row accounts for it, whether its text, its id or its checksum is damaged.
	for id, value := range bad {
		key := []byte(id)
		computed := uint32(0)
		if len(value) >= sumSize {
			computed = checksum(rowsBucket(), key, value[sumSize:])
		}
		for i, left := range s {
			if left != 0 && (left == mixed(storedSum(value)) || left == mixed(computed)) {
				s[i] = 0
				break
			}
		}
	}
	alone := s // the sums that no good row is in
	for id := range good {
		alone[sumOf([]byte(id))] = 0
	}
	return func(id string) bool { return s[sumOf([]byte(id))] != 0 }, alone != rowSums{}
}

// without returns the sums with those rows removed: all zero if they are exactly the
// rows that there should be.
func (s rowSums) without(rows map[string][]byte) rowSums {
	for id, value := range rows {
		s.toggle([]byte(id), storedSum(value))
	}
	return s
}

// sumOf is which of the sums a row is in.
func sumOf(id []byte) int { return int(crc32.ChecksumIEEE(id) % uint32(len(rowSums{}))) }

// readHead reads the head of a database.
func readHead(tx *bolt.Tx) (*head, error) {
	meta := tx.Bucket(metaBucket())
	if meta == nil {
		return nil, errors.New("it is not a database of providerd's: it has no bucket meta")
	}
	return decodeHead(meta.Get(headKey()))
}

func decodeHead(value []byte) (*head, error) {
	text, err := unseal(metaBucket(), headKey(), value)
	h := new(head)
	if err == nil {
		err = json.Unmarshal(text, h)
	}
	if err != nil {
		return nil, fmt.Errorf("the head of the database: %w", err)
	}
	return h, nil
}

// write makes h the head that a transaction commits. It keeps the schema of h.
func (h *head) write(tx *bolt.Tx) error {
	h.Schema, h.Commit = cmp.Or(h.Schema, schema), uint64(tx.ID())
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the head: %w", err)
	}
	return tx.Bucket(metaBucket()).Put(headKey(), seal(metaBucket(), headKey(), text))
}

// rewriting changes the head alone.
func rewriting(change func(*head)) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		h, err := readHead(tx)
		if err != nil {
			return &corruptError{err}
		}
		change(h)
		return h.write(tx)
	}
}

// outdated says why a database may be older than what clients have seen of it,
// empty when it is not: a commit was lost, or something else wrote it. txid is the
// transaction that bbolt found to be the newest, and metas those of its two meta
// pages that are whole.
func (h *head) outdated(txid uint64, metas []uint64) string {
	switch {
	case h.Commit != txid:
		return fmt.Sprintf("its head is of commit %d, and the file of commit %d", h.Commit, txid)
	case h.Copy || h.Closed: // bbolt's last two commits have the same in them
		return ""
	case len(metas) < 2:
		return "one of its two meta pages is damaged: it may be that of the last commit"
	case !followEachOther(metas):
		return fmt.Sprintf("its last two commits are %d and %d", metas[0], metas[1])
	}
	return ""
}

// followEachOther reports whether bbolt's two meta pages are whole, and of two
// commits between which there was none.
func followEachOther(metas []uint64) bool {
	return len(metas) == 2 && (metas[0]+1 == metas[1] || metas[1]+1 == metas[0])
}
