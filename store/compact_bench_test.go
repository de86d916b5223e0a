package store

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// BenchmarkCompact compacts a file that has 55 MB in use, in half a million small values, and
// as much free.
func BenchmarkCompact(b *testing.B) {
	whole := filepath.Join(b.TempDir(), "whole.db")
	s, err := Open(whole, Options{CompactFrom: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	key, value := make([]byte, 8), make([]byte, 85)
	for n, name := range []string{"ballast", "removed"} {
		for at := range 10 {
			err = errors.Join(err, s.file.Load().update(func(tx *bolt.Tx) error {
				bucket, err := tx.CreateBucketIfNotExists([]byte(name))
				if err != nil {
					return err
				}
				bucket.FillPercent = 0.95
				for i := range 50_000 + 5_000*n {
					binary.BigEndian.PutUint64(key, uint64(at)<<32|uint64(i))
					if err := bucket.Put(append([]byte(nil), key...), value); err != nil {
						return err
					}
				}
				return rewriting(func(*head) {})(tx)
			}))
		}
	}
	err = errors.Join(err, s.file.Load().update(func(tx *bolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte("removed")), rewriting(func(*head) {})(tx))
	}), s.Close())
	image, bad := os.ReadFile(whole)
	if err := errors.Join(err, bad); err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	var took time.Duration
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "providerd.db")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			b.Fatal(err)
		}
		runtime.ReadMemStats(&before)
		s, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		for s.Stats().Compacted == 0 {
			time.Sleep(time.Millisecond)
		}
		took += time.Since(began)
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(len(image))/(1<<20), "MiB-before")
		b.ReportMetric(float64(s.Stats().Bytes)/(1<<20), "MiB-after")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/compaction")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/(1<<20), "MiB-allocated")
}
