package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// schema is the version of this layout:
//
//	meta    schema, generation: decimal numbers; copy: 1 in a copy that Backup made
//	rows    provider id: its Status as JSON
//	events  seq, 8 bytes big endian: the Event as JSON; seq is in the key alone
//
// The sequence of the events bucket is the newest seq ever given. It is kept in
// the bucket's header, so that trimming events cannot make it go back. Seqs rise by
// one; where they do not, events were lost to damage. Those before the last gap are
// kept for history, and are no part of the stream of events any more.
const schema = 1

// The names are functions so that no package-level variable can be changed.
func metaBucket() []byte    { return []byte("meta") }
func rowsBucket() []byte    { return []byte("rows") }
func eventsBucket() []byte  { return []byte("events") }
func schemaKey() []byte     { return []byte("schema") }
func generationKey() []byte { return []byte("generation") }
func copyKey() []byte       { return []byte("copy") }

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// contents is what a database held when it was opened.
type contents struct {
	rows           []*Row
	oldest, newest uint64           // seq of the kept events after the last gap; oldest is newest+1 when there are none
	recent         []provider.Event // the newest of them
	generation     uint64           // those up to here may have been handed out
	copied         bool             // it is what Backup made, and was never opened
	txid           int              // of the transaction that was read
}

// lay writes the layout into an empty file; its numbers follow newest and generation.
func lay(tx *bolt.Tx, newest, generation uint64) error {
	for _, name := range [][]byte{metaBucket(), rowsBucket(), eventsBucket()} {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	return errors.Join(
		putNumber(tx.Bucket(metaBucket()), schemaKey(), schema),
		putNumber(tx.Bucket(metaBucket()), generationKey(), generation),
		tx.Bucket(eventsBucket()).SetSequence(newest),
	)
}

// load reads the whole database. Its error is a [*FutureError] or a
// [corruptError].
func load(db *bolt.DB, path string) (*contents, error) {
	found := new(contents)
	err := guard(func() error {
		return db.View(func(tx *bolt.Tx) error { return found.read(tx, path) })
	})
	var future *FutureError
	switch {
	case err == nil:
		return found, nil
	case errors.As(err, &future):
		return nil, future
	}
	return nil, &corruptError{err}
}

func (c *contents) read(tx *bolt.Tx, path string) error {
	c.txid = tx.ID()
	meta := tx.Bucket(metaBucket())
	if meta == nil {
		return errors.New("it is not a database of providerd's: it has no bucket meta")
	}
	version, err := number(meta, schemaKey())
	if err != nil {
		return err
	}
	if version > schema {
		return &FutureError{Path: path, Found: int(version), Known: schema}
	}
	if version < 1 {
		return fmt.Errorf("there is no schema version %d", version)
	}
	if c.generation, err = number(meta, generationKey()); err != nil {
		return err
	}
	c.copied = meta.Get(copyKey()) != nil
	rows, events := tx.Bucket(rowsBucket()), tx.Bucket(eventsBucket())
	if rows == nil || events == nil {
		return errors.New("bucket rows or events is missing")
	}
	if err := c.readRows(rows); err != nil {
		return err
	}
	return c.readEvents(events)
}

func (c *contents) readRows(rows *bolt.Bucket) error {
	return rows.ForEach(func(id, value []byte) error {
		row, err := decodeRow(string(id), value)
		if err != nil {
			return fmt.Errorf("the row of %q: %w", id, err)
		}
		c.rows = append(c.rows, row)
		return nil
	})
}

func decodeRow(id string, value []byte) (*Row, error) {
	var status provider.Status
	if err := json.Unmarshal(value, &status); err != nil {
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

// readEvents checks that the seqs rise up to the newest ever given, and keeps the
// newest events of those that follow the last gap.
func (c *contents) readEvents(events *bolt.Bucket) error {
	c.newest = events.Sequence()
	next := uint64(0)
	err := events.ForEach(func(key, value []byte) error {
		event, err := decodeEvent(key, value)
		if err != nil {
			return err
		}
		if event.Seq > c.newest {
			return fmt.Errorf("event %d is there, and the newest should be %d", event.Seq, c.newest)
		}
		if event.Seq != next { // the first, or the first after a gap
			c.oldest, c.recent = event.Seq, nil
		}
		next = event.Seq + 1
		if event.Seq+recentEvents > c.newest {
			c.recent = append(c.recent, event)
		}
		return nil
	})
	if next != c.newest+1 { // none, or none after a gap
		c.oldest, c.recent = c.newest+1, nil
	}
	return err
}

// decodeEvent reads an event, whose seq is its key.
func decodeEvent(key, value []byte) (provider.Event, error) {
	var event provider.Event
	if len(key) != 8 {
		return event, fmt.Errorf("an event's key has %d bytes", len(key))
	}
	seq := binary.BigEndian.Uint64(key)
	if err := json.Unmarshal(value, &event); err != nil {
		return event, fmt.Errorf("event %d: %w", seq, err)
	}
	if event.Seq = seq; seq == 0 || seq > maxNumber {
		return event, fmt.Errorf("no event has the number %d", seq)
	}
	return event, nil
}

// encodeEvent is how an event is kept.
func encodeEvent(e *provider.Event) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event %d: %w", e.Seq, err)
	}
	return text, nil
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
