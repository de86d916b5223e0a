package store_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// mustList checks a listing against the rows taken one by one, and returns it in
// use. Nobody may write meanwhile.
func mustList(t *testing.T, s *store.Store, now time.Time) *store.Listing {
	t.Helper()
	v := s.View()
	var rows []string
	ttl := int64(0)
	for i := range v.Len() {
		rows = append(rows, string(v.At(i).AppendJSON(nil, now)))
		if st := v.At(i).Status; i == 0 || st.TTLMS < ttl {
			ttl = st.TTLMS
		}
	}
	l := v.Listing(now)
	if got, want := string(l.Between([]byte("["), "]")), "["+strings.Join(rows, ",")+"]"; got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	if got := l.SmallestTTL(); got != ttl {
		t.Fatalf("the smallest ttl_ms is %d, want %d", got, ttl)
	}
	return l
}

// Listings are used again and again while rows age, change and go, and now and
// then two are in use at once.
func TestView_Listing_SaysWhatItsRowsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		path, names := newPath(t), ids(8)
		s := configured(t, path, store.Options{}, names[1:]...)
		for _, id := range names[1:6] {
			s.Put(result(id, provider.StateRunning, ""))
		}
		synctest.Wait()
		s = reopen(t, s, path, store.Options{}) // restored rows
		s.Configure(names, nil)                 // and one that was never checked
		for step := range 2000 {
			switch id := names[random.IntN(len(names))]; random.IntN(8) {
			case 0:
				u := result(id, provider.StateRunning, strings.Repeat("x", random.IntN(3)))
				u.Status.TTLMS = 500 + random.Int64N(1000)
				s.Put(u)
			case 1:
				if step%10 == 0 {
					random.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
					s.Configure(names[:random.IntN(len(names)+1)], nil)
				}
			default:
				time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
			}
			l := mustList(t, s, time.Now())
			if random.IntN(4) == 0 {
				mustList(t, s, time.Now().Add(-time.Second)).Free()
			}
			l.Free()
		}
	})
}

func TestListing_Between(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "b")
	now := time.Now()
	head := []byte(strings.Repeat("h", store.HeadRoom))
	for _, foot := range []string{strings.Repeat("f", 10_000), "", "]"} {
		l := s.View().Listing(now)
		l.Between(nil, "another foot")
		if got := string(l.Between(head, foot)); !strings.HasPrefix(got, string(head)+`{"id":"a"`) || !strings.HasSuffix(got, "}"+foot) {
			t.Errorf("got %s", got)
		}
		l.Free()
		mustList(t, s, now).Free()
	}
}

// Meant for the race detector, too: each listing has whole rows in their order
// while they are replaced.
func TestView_Listing_BesideWriters(t *testing.T) {
	names := ids(20)
	s := configured(t, newPath(t), store.Options{}, names...)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for !isClosed(stop) {
				l := s.View().Listing(time.Now())
				var rows []provider.Status
				err := json.Unmarshal(l.Between([]byte("["), "]"), &rows)
				l.Free()
				if err != nil {
					t.Error(err)
					return
				}
				var order []string
				for _, row := range rows {
					order = append(order, row.ID)
					if row.Detail != row.LastError {
						t.Errorf("half of one row and half of another: %+v", row)
						return
					}
				}
				if !slices.Equal(order, names) {
					t.Errorf("got %v", order)
					return
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			for i := range 2000 {
				u := result(names[(i*7+w)%len(names)], provider.StateRunning, fmt.Sprint(i))
				u.Status.LastError = u.Status.Detail
				s.Put(u)
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}
