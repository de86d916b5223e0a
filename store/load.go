package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// contents is what a database held when it was opened.
type contents struct {
	rows           []*Row
	oldest, newest uint64           // seq of the kept events; oldest is newest+1 if there are none
	gaps           []provider.Gap   // events between them that are missing
	recent         []provider.Event // the newest of them
	generation     uint64           // the highest that may have been handed out
	copied         bool             // a backup that was not opened before
	txid           int              // of the transaction that was read
	id             uint64           // of the database
	past           past             // of the history
	notes          map[string][]byte
	renumbered     bool // it is a backup, or not the database that clients have seen
	bereft         bool // notes may be missing
}

// errOldSchema means that a database must be migrated first.
var errOldSchema = errors.New("it has an older schema")

// load reads and verifies the whole database. Its error is a [*FutureError],
// errOldSchema or a [corruptError]. metas are the transactions of bbolt's intact meta
// pages.
func load(db *bolt.DB, path string, metas []uint64) (*contents, error) {
	found := new(contents)
	err := guard(func() error {
		return db.View(func(tx *bolt.Tx) error { return found.read(tx, path, metas) })
	})
	var future *FutureError
	switch {
	case err == nil:
		return found, nil
	case errors.As(err, &future):
		return nil, future
	case errors.Is(err, errOldSchema):
		return nil, errOldSchema
	}
	return nil, &corruptError{err}
}

func (c *contents) read(tx *bolt.Tx, path string, metas []uint64) error {
	c.txid = tx.ID()
	h, err := readHead(tx)
	if tx.Bucket(metaBucket()) == nil {
		return err
	}
	if err := checkSchema(tx, h, path); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	if why := h.outdated(uint64(tx.ID()), metas); why != "" {
		return errors.New(why)
	}
	c.generation, c.oldest, c.newest, c.copied, c.id = h.Generation, h.Oldest, h.Newest, h.Copy, h.ID
	rows, events := tx.Bucket(rowsBucket()), tx.Bucket(eventsBucket())
	if rows == nil || events == nil {
		return errors.New("bucket rows or events is missing")
	}
	if err := errors.Join(c.readRows(rows, h), c.readEvents(events)); err != nil {
		return err
	}
	if h.Schema == withoutHistory {
		return errOldSchema
	}
	c.past = pastOf(h)
	if err := c.past.read(tx); err != nil {
		return err
	}
	if c.notes, err = readNotes(tx); err != nil {
		return err
	}
	return checkHistory(tx)
}

// checkSchema refuses a database of another version. The version is stored twice:
// alone, for daemons that know nothing else of this layout, and in the head, whose
// checksum tells a flipped bit from another version.
func checkSchema(tx *bolt.Tx, h *head, path string) error {
	meta := tx.Bucket(metaBucket())
	version, err := number(meta, schemaKey())
	ours := h != nil && h.Schema == schema && h.Commit == uint64(tx.ID())
	switch {
	case err == nil && h != nil && (version == schema || version == withoutHistory) && h.Schema == int(version),
		err == nil && h == nil && version == schema:
		return nil
	case err == nil && version == 1 && h == nil && meta.Get(headKey()) == nil:
		return errOldSchema
	case err == nil && version > schema && !ours:
		return &FutureError{Path: path, Found: int(version), Known: schema}
	case err == nil:
		return fmt.Errorf("its schema cannot be version %d", version)
	}
	return err
}

// readRows reads the rows, and verifies that none is missing or out of date.
func (c *contents) readRows(rows *bolt.Bucket, h *head) error {
	good := make(map[string][]byte) // values by id
	err := rows.ForEach(func(id, value []byte) error {
		row, err := decodeRow(id, value)
		if err != nil {
			return fmt.Errorf("the row of %q: %w", id, err)
		}
		good[row.Status.ID] = value
		c.rows = append(c.rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	if left := h.Rows.without(good); left != (rowSums{}) {
		return errors.New("a row is missing or out of date")
	}
	return nil
}

// readEvents reads the newest events, and finds the gaps between all kept ones.
func (c *contents) readEvents(events *bolt.Bucket) error {
	err := events.ForEach(func(key, value []byte) error {
		seq, ok := seqOf(key)
		if _, err := unseal(eventsBucket(), key, value); err != nil || !ok {
			return fmt.Errorf("event %x: %w", key, errDamaged)
		}
		if seq < c.oldest || seq > c.newest {
			return fmt.Errorf("event %d is not within the kept ones, %d to %d", seq, c.oldest, c.newest)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for found := range eventsIn(events, c.oldest, c.newest) {
		if found.text == nil {
			c.gaps = append(c.gaps, found.Gap)
		} else if found.Last+recentEvents > c.newest {
			event, err := decodeEvent(found.Last, found.text)
			if err != nil {
				return err
			}
			c.recent = append(c.recent, event)
		}
	}
	return nil
}

func sayGaps(log hclog.Logger, path string, gaps ...provider.Gap) {
	const named = 10
	var names []string
	for _, gap := range gaps[:min(len(gaps), named)] {
		names = append(names, gap.String())
	}
	if more := len(gaps) - named; more > 0 {
		names = append(names, fmt.Sprintf("and in %d other places", more))
	}
	log.Warn("events of the database are damaged or missing; readers get an error there",
		"path", path, "which", strings.Join(names, ", "))
}
