package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// A mark records the state of a database after its last commit. It is written after
// the commit is on the disk and before anybody sees it, so that a database which is
// behind its mark is not the one that clients have seen.
//
// Its text has a checksum. With a rotten digit, an intact database would look out of
// date: clients would be told that their events are gone, and numbers could jump
// anywhere.
type mark struct {
	File       uint64 `json:"file,omitempty"` // identifies the file; 0: unknown, or about to be replaced
	Tx         int    `json:"tx,omitempty"`   // bbolt's number of the commit
	Seq        uint64 `json:"seq"`
	Generation uint64 `json:"generation"` // the highest that may have been handed out
}

// A markText is a mark with its checksum, a CRC-32C.
type markText struct {
	plainMark
	Sum uint32 `json:"sum"`
}

type plainMark mark

func (m mark) sum() uint32 {
	text := fmt.Appendf(nil, "%d %d %d %d", m.File, m.Tx, m.Seq, m.Generation)
	return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli))
}

// MarshalJSON adds the checksum.
func (m mark) MarshalJSON() ([]byte, error) { return json.Marshal(markText{plainMark(m), m.sum()}) }

// UnmarshalJSON sets m to the zero mark if the checksum is wrong.
func (m *mark) UnmarshalJSON(text []byte) error {
	var found markText
	*m = mark{}
	if err := json.Unmarshal(text, &found); err != nil {
		return err
	}
	read := mark(found.plainMark)
	if found.Sum == read.sum() && read.Seq <= maxNumber && read.Generation <= maxNumber {
		*m = read
	}
	return nil
}

// isAfter reports whether a mark is ahead of another.
func (m mark) isAfter(other mark) bool {
	return m.Seq > other.Seq || m.Generation > other.Generation
}

// missedBy says why the database at the path is not the one that clients have seen; nil
// if nothing suggests that.
func (m mark) missedBy(found *contents, file uint64) error {
	switch {
	case m.File != 0 && file != 0 && m.File != file:
		return errors.New("another file was put in its place")
	case found.newest < m.Seq:
		return fmt.Errorf("it is out of date: its newest event is %d, and clients have seen event %d",
			found.newest, m.Seq)
	case found.generation < m.Generation:
		return fmt.Errorf("it is out of date: its newest refresh is %d, and clients have seen refresh %d",
			found.generation, m.Generation)
	case m.File != 0 && found.txid < m.Tx:
		return fmt.Errorf("it is out of date: its newest commit is %d, and clients have seen commit %d", found.txid, m.Tx)
	}
	return nil
}
