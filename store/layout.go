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
//	names   provider id: its number in the history, and when it was removed
//	open    number: its open hour and its state, see [openHour]
//	change  number, and that of a list: changes of state, see [rollup.AppendChanges];
//	        those of number 0 are when anything was watched
//	hour    time and number: a [rollup.Bucket]
//	day     time and number: likewise
//	notify  empty; reserved for notifications that wait to be sent
//
// Numbers in the keys of the history, and times, which are in seconds since 1970, have 4
// bytes, big endian. Time comes first, so that an hour of all providers is on a few pages:
// see docs/decisions/rollups.md.
//
// Each value but the schema begins with its checksum, see [seal]. Schema 2 had no history.
// Schema 1 had no checksums, and kept the numbers of the head under keys of their own. See
// migrate.go.
const schema = 3

// Functions, because a package-level []byte could be changed.
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

// sumSize is the size of a value's checksum in bytes.
const sumSize = 4

// errDamaged means that a value is not what was written under its key.
var errDamaged = errors.New("its checksum is wrong")

// checksum is the CRC-32C of a text together with its bucket and key, so that a text in
// the wrong place is noticed too. It finds accidental damage by disk or memory, and no
// tampering: whoever can write the file can write a checksum.
func checksum(bucket, key, text []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // package crc32 keeps it
	sum := uint32(0)
	for _, part := range [][]byte{bucket, key, text} {
		// With its length, so that the boundaries count too.
		sum = crc32.Update(sum, table, binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		sum = crc32.Update(sum, table, part)
	}
	return sum
}

// seal returns a value: the checksum and then the text.
func seal(bucket, key, text []byte) []byte {
	value := make([]byte, 0, sumSize+len(text))
	return append(binary.BigEndian.AppendUint32(value, checksum(bucket, key, text)), text...)
}

// unseal returns the text of a value, in the value's own memory, or errDamaged.
func unseal(bucket, key, value []byte) ([]byte, error) {
	if len(value) < sumSize || checksum(bucket, key, value[sumSize:]) != storedSum(value) {
		return nil, errDamaged
	}
	return value[sumSize:], nil
}

// storedSum is the checksum in a value, 0 if the value is too short to have one.
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

// decodeRow reads a row's value.
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

// decodeEvent reads the text of an event whose checksum is right.
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

// lay creates the buckets and the schema in an empty file, but not the head.
func lay(tx *bolt.Tx) error {
	for _, name := range append(historyBuckets(), metaBucket(), rowsBucket(), eventsBucket(), notifyBucket()) {
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
