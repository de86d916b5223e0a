package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/hashicorp/go-hclog"
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
// the bucket's header, so that trimming events cannot make it go back.
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
	oldest, newest uint64           // seq of the kept events; oldest is newest+1 when there are none
	recent         []provider.Event // the newest of them
	generation     uint64           // those up to here may have been handed out
	copied         bool             // it is what Backup made, and was never opened
}

// lay writes the layout into an empty file.
func lay(tx *bolt.Tx) error {
	for _, name := range [][]byte{metaBucket(), rowsBucket(), eventsBucket()} {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	return errors.Join(
		putNumber(tx.Bucket(metaBucket()), schemaKey(), schema),
		putNumber(tx.Bucket(metaBucket()), generationKey(), 0),
	)
}

// load reads the whole database. Its error is a [*FutureError] or a
// [corruptError].
func load(db *bolt.DB, path string, log hclog.Logger) (*contents, error) {
	found := new(contents)
	err := guard(func() error {
		return db.View(func(tx *bolt.Tx) error { return found.read(tx, path, log) })
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

func (c *contents) read(tx *bolt.Tx, path string, log hclog.Logger) error {
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
	if err := c.readRows(rows, log); err != nil {
		return err
	}
	return c.readEvents(events, log)
}

func (c *contents) readRows(rows *bolt.Bucket, log hclog.Logger) error {
	return rows.ForEach(func(id, value []byte) error {
		row, err := decodeRow(string(id), value)
		if err != nil {
			log.Warn("one row of the database is unreadable and is left out", "id", string(id), "error", err)
			return nil
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

// readEvents checks that the seqs are without a gap up to the newest ever given,
// and keeps the newest events.
func (c *contents) readEvents(events *bolt.Bucket, log hclog.Logger) error {
	c.newest = events.Sequence()
	next := uint64(0)
	err := events.ForEach(func(key, value []byte) error {
		if len(key) != 8 {
			return fmt.Errorf("an event's key has %d bytes", len(key))
		}
		seq := binary.BigEndian.Uint64(key)
		if next == 0 {
			next, c.oldest = seq, seq
		}
		if seq == 0 || seq != next {
			return fmt.Errorf("event %d is followed by %d", next-1, seq)
		}
		next++
		if seq+recentEvents > c.newest {
			if event, ok := decodeEvent(key, value, log); ok {
				c.recent = append(c.recent, event)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if next == 0 {
		next, c.oldest = c.newest+1, c.newest+1
	}
	if next != c.newest+1 {
		return fmt.Errorf("the newest event is %d and should be %d", next-1, c.newest)
	}
	return nil
}

func decodeEvent(key, value []byte, log hclog.Logger) (provider.Event, bool) {
	var event provider.Event
	seq := binary.BigEndian.Uint64(key)
	if err := json.Unmarshal(value, &event); err != nil {
		log.Warn("one event of the database is unreadable and is left out", "seq", seq, "error", err)
		return event, false
	}
	event.Seq = seq
	return event, true
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
