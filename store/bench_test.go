package store_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
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

// A month of one provider, and two weeks by the hour, in a file with 1,000 providers.
func BenchmarkStore_History1000(b *testing.B) {
	s := open(b, newPath(b), store.Options{})
	names, at := ids(1000), time.Now().Add(-40*rollup.Day).Truncate(rollup.Hour)
	s.Configure(names, nil)
	s.Watch(store.Watched{Wall: at})
	for _, id := range names {
		s.Put(change(id, provider.StateRunning, ""))
	}
	for range 40 * 24 {
		for i, id := range names {
			for n := range 30 {
				s.Probed(id, true, time.Duration(20+i%50+n)*time.Millisecond)
			}
		}
		at = at.Add(rollup.Hour)
		s.Watch(store.Watched{Wall: at, Seen: rollup.Hour})
	}
	if err := s.SyncBarrier(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name string
		days int
		read func(id string, from, until time.Time) ([]rollup.Bucket, error)
		want int
	}{
		{"MonthByTheDay", 30, s.Days, 30},
		{"FortnightByTheHour", 14, s.Hours, 14 * 24},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				found, err := bb.read(names[i%len(names)], at.AddDate(0, 0, -bb.days), at)
				if err != nil || len(found) != bb.want {
					b.Fatalf("%d buckets (%v)", len(found), err)
				}
			}
		})
	}
	b.Run("AllFor30Days", func(b *testing.B) {
		for b.Loop() {
			found := 0
			err := s.Collect(names, rollup.Day, at.AddDate(0, 0, -30), at, store.Collector{
				Bucket: func(int, *rollup.Bucket) { found++ }, Record: func(int, *store.Record, time.Time) {},
			})
			if err != nil || found < 30*len(names) {
				b.Fatalf("%d buckets (%v)", found, err)
			}
		}
	})
}
