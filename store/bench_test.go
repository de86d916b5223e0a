package store_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

func BenchmarkStore_PutUnchanged(b *testing.B) {
	s := configured(b, newPath(b), store.Options{}, "a")
	u := result("a", provider.StateRunning, "")
	for b.Loop() {
		s.Put(u)
	}
}

func BenchmarkRow_AppendJSON(b *testing.B) {
	s := configured(b, newPath(b), store.Options{}, "a")
	s.Put(result("a", provider.StateRunning, ""))
	row, now := s.View().Row("a"), time.Now()
	var text []byte
	for b.Loop() {
		text = row.AppendJSON(text[:0], now)
	}
	b.SetBytes(int64(len(text)))
}

// All rows of a large configuration for an answer: unchanged since the last answer, with a
// new row in the middle, and with a new row in front, which moves everything behind it.
func BenchmarkView_Listing1000(b *testing.B) {
	names := ids(1000)
	for _, bb := range []struct{ name, put string }{
		{"Unchanged", ""},
		{"ChangedInTheMiddle", names[500]},
		{"ChangedInFront", names[0]},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := configured(b, newPath(b), store.Options{}, names...)
			for _, id := range names {
				s.Put(result(id, provider.StateRunning, ""))
			}
			now, size := time.Now(), 0
			for b.Loop() {
				if bb.put != "" {
					s.Put(result(bb.put, provider.StateRunning, ""))
				}
				l := s.View().Listing(now)
				size = l.Len()
				l.Free()
			}
			b.SetBytes(int64(size))
		})
	}
}

func BenchmarkStore_View_Row(b *testing.B) {
	s := configured(b, newPath(b), store.Options{}, ids(1000)...)
	for b.Loop() {
		if s.View().Row("p500") == nil {
			b.Fatal("no row")
		}
	}
}
