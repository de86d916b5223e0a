package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

// The history in the file, see [schema]. Times in keys are in seconds since 1970.

func hourBucket() []byte   { return []byte("hour") }
func dayBucket() []byte    { return []byte("day") }
func openBucket() []byte   { return []byte("open") }
func changeBucket() []byte { return []byte("change") }
func namesBucket() []byte  { return []byte("names") }
func notifyBucket() []byte { return []byte("notify") }

// historyBuckets are the buckets of the history.
func historyBuckets() [][]byte {
	return [][]byte{namesBucket(), openBucket(), changeBucket(), hourBucket(), dayBucket()}
}

// pairKey is the key of an hour or a day, its time and the provider's number, or that of a list
// of changes, the provider's number and the list's.
func pairKey(a, b uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 0, 8), a), b)
}

// readPair reads such a key.
func readPair(key []byte) (a, b uint32, ok bool) {
	if len(key) != 8 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(key), binary.BigEndian.Uint32(key[4:]), true
}

// seconds is a time as it is written in a key.
func seconds(t time.Time) uint32 { return uint32(max(0, min(t.Unix(), 1<<32-1))) }

// atSeconds is the time in a key.
func atSeconds(n uint32) time.Time { return time.Unix(int64(n), 0).UTC() }

// A past is what a file has about the history, without the hours, days and changes.
type past struct {
	names map[string]name
	open  []openHour
	alive time.Time // until when providers were watched; zero if never
	until time.Time // when the last closed hour ended
	rolls uint64
	batch uint64
}

// pastOf is the part of a past that is in a head.
func pastOf(h *head) past {
	return past{alive: milliTime(h.Alive), until: milliTime(h.Until), rolls: h.Rolls, batch: h.Batch}
}

func milliTime(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func timeMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// read reads the names and the open hours.
func (p *past) read(tx *bolt.Tx) error {
	for _, b := range append(historyBuckets(), notifyBucket()) {
		if tx.Bucket(b) == nil {
			return fmt.Errorf("bucket %s is missing", b)
		}
	}
	p.names = make(map[string]name)
	err := tx.Bucket(namesBucket()).ForEach(func(id, value []byte) (err error) {
		if p.names[string(id)], err = decodeName(id, value); err != nil {
			return fmt.Errorf("the name of %q in the history: %w", id, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Bucket(openBucket()).ForEach(func(key, value []byte) error {
		o, err := decodeOpen(key, value)
		if err != nil {
			return fmt.Errorf("open hour %x: %w", key, err)
		}
		p.open = append(p.open, o)
		return nil
	})
}

func encodeName(id string, n name) []byte {
	text := binary.AppendVarint(binary.AppendUvarint(nil, uint64(n.number)), n.removed)
	return seal(namesBucket(), []byte(id), text)
}

var errMalformed = errors.New("it is malformed")

func decodeName(id, value []byte) (n name, err error) {
	text, err := unseal(namesBucket(), id, value)
	if err != nil {
		return n, err
	}
	number, size := binary.Uvarint(text)
	if size <= 0 || number == 0 || number > 1<<31 {
		return n, errMalformed
	}
	removed, left := binary.Varint(text[size:])
	if left <= 0 || size+left != len(text) {
		return n, errMalformed
	}
	return name{uint32(number), removed}, nil
}

func openKey(number uint32) []byte { return binary.BigEndian.AppendUint32(nil, number) }

// encode returns the key and the value of an open hour: uvarints of rolls, the hour in seconds
// and until in ms, a byte for the state, the length of the reason, the reason, and the bucket.
func (o *openHour) encode() (key, value []byte) {
	text := binary.AppendUvarint(nil, o.rolls)
	text = binary.AppendUvarint(text, uint64(seconds(o.hour)))
	text = binary.AppendUvarint(text, uint64(max(0, timeMilli(o.until))))
	text = append(text, rollup.CodeOf(o.state))
	text = append(binary.AppendUvarint(text, uint64(len(o.reason))), o.reason...)
	text = o.bucket.Append(text)
	key = openKey(o.number)
	return key, seal(openBucket(), key, text)
}

func decodeOpen(key, value []byte) (o openHour, err error) {
	text, err := unseal(openBucket(), key, value)
	if err != nil {
		return o, err
	}
	number := func() (n uint64) {
		var size int
		if n, size = binary.Uvarint(text); size <= 0 {
			text, err = nil, errMalformed
			return 0
		}
		text = text[size:]
		return n
	}
	o.rolls = number()
	o.hour = atSeconds(uint32(number()))
	o.until = milliTime(int64(number() & (1<<53 - 1)))
	if len(key) != 4 || len(text) == 0 {
		return o, errMalformed
	}
	o.number = binary.BigEndian.Uint32(key)
	state, ok := rollup.StateOf(text[0])
	text = text[1:]
	long := number()
	if err != nil || !ok || long > uint64(len(text)) {
		return o, errMalformed
	}
	o.state, o.reason = state, provider.Reason(text[:long])
	o.bucket, err = rollup.ReadBucket(text[long:])
	return o, err
}
