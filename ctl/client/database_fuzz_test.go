package client

import (
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// Whatever a file has in it, the check ends, and gives the same result for pieces of any size.
func FuzzDatabaseCheck(f *testing.F) {
	path := filepath.Join(f.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 1024})
	if err != nil {
		f.Fatal(err)
	}
	if err := db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		f.Fatal(err)
	}
	db.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	if err := checkIn(good, 1000); err != nil {
		f.Fatal(err)
	}
	f.Add(good, 700)
	f.Fuzz(func(t *testing.T, body []byte, piece int) {
		if a, b := checkIn(body, len(body)), checkIn(body, 1+(piece&0xffff)); (a == nil) != (b == nil) {
			t.Errorf("at once: %v; in pieces: %v", a, b)
		}
	})
}

// checkIn checks a file in pieces.
func checkIn(body []byte, piece int) error {
	var c databaseCheck
	if err := c.begin(body[:min(len(body), mostPage+pageHeader+metaSize)], int64(len(body))); err != nil {
		return err
	}
	for len(body) > 0 {
		n := min(piece, len(body))
		c.pass(body[:n])
		body = body[n:]
	}
	return c.end()
}
