package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// schema is the version of this layout:
//
//	meta    schema: a decimal number, which every daemon can read; head: see [head]
//	rows    provider id: its Status as JSON
//	events  seq, 8 bytes big endian: the Event as JSON; seq is in the key alone
//
// Before each value but the schema stands its checksum, see [seal]. Schema 1 had
// none, and kept the numbers of the head in places of their own: see migrate.go.
const schema = 2

// The names are functions so that no package-level variable can be changed.
func metaBucket() []byte   { return []byte("meta") }
func rowsBucket() []byte   { return []byte("rows") }
func eventsBucket() []byte { return []byte("events") }
func schemaKey() []byte    { return []byte("schema") }
func headKey() []byte      { return []byte("head") }

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// seqOf reads the key of an event.
func seqOf(key []byte) (seq uint64, ok bool) {
	if len(key) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key), true
}

// sumSize is how many bytes of a value its checksum takes.
const sumSize = 4

// errDamaged says that a value is not what was written under its key.
var errDamaged = errors.New("its checksum is wrong")

// checksum is the CRC-32C of a text together with where it stands: in another
// bucket, or under another key, the same text has another one. It finds what a
// disk or a memory does by accident, and nothing that somebody does on purpose:
// whoever may write the file can write a checksum.
func checksum(bucket, key, text []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once, by package crc32
	sum := uint32(0)
	for _, part := range [][]byte{bucket, key, text} {
		// With its length, so that no byte can move from one to the next.
		sum = crc32.Update(sum, table, binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		sum = crc32.Update(sum, table, part)
	}
	return sum
}

// seal makes the value of a text: its checksum and the text.
func seal(bucket, key, text []byte) []byte {
	value := make([]byte, 0, sumSize+len(text))
	return append(binary.BigEndian.AppendUint32(value, checksum(bucket, key, text)), text...)
}

// unseal returns the text of a value, which is the value's own memory, or
// errDamaged.
func unseal(bucket, key, value []byte) ([]byte, error) {
	if len(value) < sumSize || checksum(bucket, key, value[sumSize:]) != storedSum(value) {
		return nil, errDamaged
	}
	return value[sumSize:], nil
}

// storedSum is the checksum that a value says it has, 0 for one that is too short
// to have any.
func storedSum(value []byte) uint32 {
	if len(value) < sumSize {
		return 0
	}
	return binary.BigEndian.Uint32(value)
}

// encodeRow returns the value of a row.
func encodeRow(row *Row) []byte {
	return seal(rowsBucket(), []byte(row.Status.ID), row.whole())
}

// decodeRow reads a row of the database, which nobody has asked for since.
func decodeRow(id, value []byte) (*Row, error) {
	text, err := unseal(rowsBucket(), id, value)
	if err != nil {
		return nil, err
	}
	return readRow(string(id), text)
}

// readRow reads the text of a row.
func readRow(id string, text []byte) (*Row, error) {
	var status provider.Status
	if err := json.Unmarshal(text, &status); err != nil {
		return nil, err
	}
	if status.ID != id {
		return nil, fmt.Errorf("it is of provider %q", status.ID)
	}
	if _, err := provider.ParseState(string(status.State)); err != nil {
		return nil, err
	}
	status.Source = provider.FromRestored
	status.AgeMS, status.Stale = nil, false
	return newRow(Update{Status: status})
}

// encodeEvent returns the key and the value of an event.
func encodeEvent(e *provider.Event) (key, value []byte, err error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, nil, fmt.Errorf("encode event %d: %w", e.Seq, err)
	}
	key = seqKey(e.Seq)
	return key, seal(eventsBucket(), key, text), nil
}

// decodeEvent reads the text of an event whose checksum was found to be right.
func decodeEvent(seq uint64, text []byte) (provider.Event, error) {
	var event provider.Event
	if err := json.Unmarshal(text, &event); err != nil {
		return event, fmt.Errorf("event %d: %w", seq, err)
	}
	if event.Seq = seq; seq == 0 || seq > maxNumber {
		return event, fmt.Errorf("no event has the number %d", seq)
	}
	return event, nil
}

// lay writes the layout into an empty file, all but its head.
func lay(tx *bolt.Tx) error {
	for _, name := range [][]byte{metaBucket(), rowsBucket(), eventsBucket()} {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	return putNumber(tx.Bucket(metaBucket()), schemaKey(), schema)
}

func putNumber(b *bolt.Bucket, key []byte, n uint64) error {
	return b.Put(key, strconv.AppendUint(nil, n, 10))
}

func number(b *bolt.Bucket, key []byte) (uint64, error) {
	n, err := strconv.ParseUint(string(b.Get(key)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("meta %s: %w", key, err)
	}
	return n, nil
}
