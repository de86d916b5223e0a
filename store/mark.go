package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// A mark is how far a database had come at its last commit. It is written after
// the commit is on the disk and before anybody sees it, so that a database which
// has not come so far is not the one that clients have seen.
//
// As text it has a checksum. A digit that has rotted would make the database an
// older one, of which clients are told that their events are gone, and the numbers
// that follow it could be any.
type mark struct {
	File       uint64 `json:"file,omitempty"` // which one it is; 0 when it is not told, or about to be another
	Tx         int    `json:"tx,omitempty"`   // bbolt's number of the commit
	Seq        uint64 `json:"seq"`
	Generation uint64 `json:"generation"` // those up to here may have been given
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

// UnmarshalJSON makes m the zero mark when the text cannot be true.
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

// isAfter reports whether a mark knows of more than another.
func (m mark) isAfter(other mark) bool {
	return m.Seq > other.Seq || m.Generation > other.Generation
}

// missedBy says why what was found at the path is not what clients have seen; nil
// when nothing speaks against it.
func (m mark) missedBy(found *contents, file uint64) error {
	switch {
	case m.File != 0 && file != 0 && m.File != file:
		return errors.New("another file was put in its place")
	case found.newest < m.Seq:
		return fmt.Errorf("it is older than what was committed: it knows of events up to %d, and clients of those up to %d",
			found.newest, m.Seq)
	case found.generation < m.Generation:
		return fmt.Errorf("it is older than what was committed: it knows of refreshes up to %d, and clients of those up to %d",
			found.generation, m.Generation)
	case m.File != 0 && found.txid < m.Tx:
		return fmt.Errorf("it is older than what was committed: it is of commit %d, and clients have seen %d", found.txid, m.Tx)
	}
	return nil
}
