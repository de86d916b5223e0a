package store_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// textOf is a whole listing between a head and a foot.
func textOf(l *store.Listing, head, foot string) string {
	var text strings.Builder
	for piece := range l.Pieces([]byte(head), foot) {
		text.Write(piece)
	}
	return text.String()
}

// mustList checks a listing against the plain encoding of each row, and returns it in use.
// Nothing may write meanwhile.
func mustList(t *testing.T, s *store.Store, now time.Time) *store.Listing {
	t.Helper()
	v := s.View()
	var rows []string
	var ttl int64
	var oldest time.Time
	for i := range v.Len() {
		row := v.At(i).Current(now)
		if i == 0 || row.CheckedAt.Before(oldest) {
			oldest = row.CheckedAt.Time
		}
		text, err := json.Marshal(&row)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, string(text))
		if i == 0 || row.TTLMS < ttl {
			ttl = row.TTLMS
		}
	}
	l := v.Listing(now)
	if l == nil {
		t.Fatal("all listings are in use")
	}
	want := "[" + strings.Join(rows, ",") + "]"
	if got := textOf(l, "[", "]"); got != want {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		from := max(0, at-100)
		t.Fatalf("at byte %d: got\n…%.200s\nwant\n…%.200s", at, got[from:], want[from:])
	}
	if got := l.Len(); got != len(want)-len("[]") {
		t.Fatalf("its length is said to be %d, and is %d", got, len(want)-len("[]"))
	}
	if got := l.SmallestTTL(); got != ttl {
		t.Fatalf("the smallest ttl_ms is %d, want %d", got, ttl)
	}
	if l.BeganSince(oldest.Add(1)) && len(rows) > 0 {
		t.Fatalf("all probes are said to have begun after %v", oldest)
	}
	return l
}

// Listings are reused while rows age, change and disappear, and sometimes two are in use at
// once. The test has its own clock: unlike that of testing/synctest it is monotonic, as for
// probed rows.
func TestView_Listing_SaysWhatItsRowsSay(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		rows, longest, steps int
	}{
		{"SmallRows", 8, 3, 2000},
		{"LargeRowsInManySegments", 60, 60_000, 200},
	} {
		t.Run(tt.name, func(t *testing.T) { listAtRandom(t, tt.rows, tt.longest, tt.steps) })
	}
}

func listAtRandom(t *testing.T, rows, longest, steps int) {
	random := rand.New(rand.NewPCG(1, 2))
	path, names := newPath(t), ids(rows)
	long := strings.Repeat("x", longest)
	s := configured(t, path, store.Options{}, names[1:]...)
	for _, id := range names[1:6] {
		s.Put(result(id, provider.StateRunning, ""))
	}
	s = reopen(t, s, path, store.Options{}) // restored rows
	s.Configure(names, nil)                 // and one that was never checked
	now := time.Now()
	for step := range steps {
		switch random.IntN(8) {
		case 0:
			for range 1 + random.IntN(3) {
				u := result(names[random.IntN(rows)], provider.StateRunning, long[:random.IntN(longest)])
				u.Status.TTLMS = 500 + random.Int64N(1000)
				u.Status.CheckedAt.Time = now.Add(-time.Duration(random.IntN(3)) * time.Second)
				if random.IntN(4) == 0 { // as if it came from elsewhere
					u.Status.CheckedAt.Time = u.Status.CheckedAt.Round(0)
				}
				s.Put(u)
			}
		case 1:
			if step%10 == 0 {
				random.Shuffle(rows, func(i, k int) { names[i], names[k] = names[k], names[i] })
				s.Configure(names[:random.IntN(rows+1)], nil)
			}
		default:
			now = now.Add(time.Duration(random.IntN(200)) * time.Millisecond)
		}
		l := mustList(t, s, now)
		if random.IntN(4) == 0 {
			mustList(t, s, now.Add(-time.Second)).Free()
		}
		l.Free()
	}
}

// Ages from zero to years, and each edge at which the text gets longer.
func TestView_Listing_AgesOfEveryLength(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "b", "never", "ancient", "future")
	a := result("a", provider.StateRunning, "")
	s.Put(a)
	for id, checked := range map[string]time.Time{
		"b":       a.Status.CheckedAt.Round(0), // not by the monotonic clock
		"ancient": time.Date(1066, 10, 14, 9, 0, 0, 0, time.UTC),
		"future":  time.Date(3001, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		u := result(id, provider.StateRunning, "")
		u.Status.CheckedAt.Time = checked
		s.Put(u)
	}
	const ttl = 11_500 * time.Millisecond
	for power := time.Millisecond; power <= 1e5*time.Hour; power *= 10 {
		for _, age := range []time.Duration{power - 1, power, power + 1, ttl - power, ttl + power, -power, ttl, ttl + 1, ttl} {
			mustList(t, s, a.Status.CheckedAt.Add(age)).Free()
		}
	}
}

func TestListing_Pieces(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "b")
	now := time.Now()
	head := strings.Repeat("h", store.HeadRoom)
	for _, foot := range []string{strings.Repeat("f", 10_000), "", "]"} {
		l := s.View().Listing(now)
		textOf(l, "", "another foot")
		if got := textOf(l, head, foot); !strings.HasPrefix(got, head+`{"id":"a"`) || !strings.HasSuffix(got, "}"+foot) {
			t.Errorf("got %s", got)
		}
		l.Free()
		mustList(t, s, now).Free()
	}
}

func TestListing_BeganSince(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "b")
	now := time.Now()
	for i, tt := range []struct {
		id     string
		began  time.Time
		all    time.Time // from when on the probes of both began
		listed bool      // whether that can be told
	}{
		{"a", now, now, false},
		{"b", now.Add(time.Second), now, true},
		{"a", now.Add(2 * time.Second), now.Add(time.Second), true},
		{"b", now.Round(0), now, true},
		{"b", time.Time{}, now.Add(-time.Hour), false},
		{"b", now.Add(3 * time.Second), now.Add(2 * time.Second), true},
	} {
		u := result(tt.id, provider.StateRunning, "")
		u.Status.CheckedAt.Time = tt.began
		s.Put(u)
		l := mustList(t, s, now)
		if l.BeganSince(tt.all) != tt.listed || l.BeganSince(tt.all.Add(1)) {
			t.Errorf("after result %d: %v and %v", i, l.BeganSince(tt.all), l.BeganSince(tt.all.Add(1)))
		}
		l.Free()
	}
}

// However many readers there are, at most two listings use memory at once.
func TestView_Listing_TwoAtMost(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "b")
	now := time.Now()
	for range 3 {
		first, second := mustList(t, s, now), mustList(t, s, now)
		if third := s.View().Listing(now); third != nil {
			t.Fatal("there is a third")
		}
		second.Free()
		mustList(t, s, now).Free()
		first.Free()
	}
	old := mustList(t, s, now)
	s.Configure([]string{"b", "a"}, nil) // another table, with two of its own
	first, second := mustList(t, s, now), mustList(t, s, now)
	for _, l := range []*store.Listing{old, second, first} {
		l.Free()
	}
}

// A listing is reused whatever its size, even if rows get longer and shorter.
func TestView_Listing_ReusesItsMemory(t *testing.T) {
	names := ids(10_000)
	s := configured(t, newPath(t), store.Options{}, names...)
	for _, id := range names {
		s.Put(result(id, provider.StateRunning, strings.Repeat("x", 200)))
	}
	now := time.Now()
	mustList(t, s, now).Free()
	const rounds = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range rounds {
		s.Put(result(names[i*617%len(names)], provider.StateRunning, strings.Repeat("x", 150+i)))
		s.View().Listing(now.Add(time.Duration(i) * time.Second)).Free()
	}
	runtime.ReadMemStats(&after)
	l := mustList(t, s, now)
	if each := int(after.TotalAlloc-before.TotalAlloc) / rounds; each > l.Len()/10 {
		t.Errorf("a listing of %d bytes takes %d new ones each time", l.Len(), each)
	}
	l.Free()
}

// place is the address of a listing's text, while it is in memory.
func place(l *store.Listing) weak.Pointer[byte] {
	for piece := range l.Pieces(nil, "") {
		return weak.Make(&piece[0])
	}
	return weak.Pointer[byte]{}
}

func TestView_Listing_IsKeptWhileItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := configured(t, newPath(t), store.Options{}, ids(1000)...)
		l, second := mustList(t, s, time.Now()), mustList(t, s, time.Now())
		text, other := place(l), place(second)
		second.Free()
		l.Free()
		for range 10 {
			time.Sleep(59 * time.Second)
			l := mustList(t, s, time.Now())
			if place(l) != text {
				t.Fatal("it was made anew within a minute")
			}
			l.Free()
		}
		if runtime.GC(); other.Value() != nil {
			t.Error("the second is in memory though nobody needed it for ten minutes")
		}
		time.Sleep(61 * time.Second)
		if runtime.GC(); text.Value() != nil {
			t.Error("it is in memory though nobody asked for a minute")
		}
		mustList(t, s, time.Now()).Free()
		text = place(mustList(t, s, time.Now()))
		s.Configure([]string{"a"}, nil)
		if runtime.GC(); text.Value() != nil {
			t.Error("it is in memory after its table is gone")
		}
	})
}

// A row may refer to much else. A listing must not keep it alive after its successor.
func TestView_Listing_KeepsNoRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := configured(t, newPath(t), store.Options{}, "a", "b")
		synctest.Wait() // the committer holds rows, too
		var row weak.Pointer[store.Row]
		go func() { // on a stack that is gone when it matters
			mustList(t, s, time.Now()).Free()
			row = weak.Make(s.View().Row("a"))
		}()
		synctest.Wait()
		s.Put(result("a", provider.StateRunning, "new"))
		if runtime.GC(); row.Value() != nil {
			t.Error("a row that was replaced is still in memory")
		}
	})
}

// This is also for the race detector: each listing has complete rows in their order while they
// are replaced.
func TestView_Listing_BesideWriters(t *testing.T) {
	names := ids(20)
	s := configured(t, newPath(t), store.Options{}, names...)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for !isClosed(stop) {
				l := s.View().Listing(time.Now())
				if l == nil { // the two others have them
					continue
				}
				var rows []provider.Status
				err := json.Unmarshal([]byte(textOf(l, "[", "]")), &rows)
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

// A writer may be held up while it replaces a row.
func TestView_Listing_WhileARowIsReplaced(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a", "b")
	mustList(t, s, time.Now()).Free()
	for _, step := range store.Replacing(s, result("a", provider.StateRunning, "new")) {
		step()
		now := time.Now()
		mustList(t, s, now).Free()
		mustList(t, s, now).Free()
	}
}

// A reader who has seen a row in one way must not see an older one in another.
func TestView_Listing_IsNoOlderThanItsRows(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a")
	s.Put(result("a", provider.StateRunning, "0"))
	stop := make(chan struct{})
	var readers sync.WaitGroup
	number := func(detail string) int {
		n, err := strconv.Atoi(detail)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	for range 2 {
		readers.Go(func() {
			for !isClosed(stop) {
				seen := number(s.View().Row("a").Status.Detail)
				l := s.View().Listing(time.Now())
				var row provider.Status
				if err := json.Unmarshal([]byte(textOf(l, "", "")), &row); err != nil {
					t.Error(err)
				}
				l.Free()
				if listed := number(row.Detail); listed < seen {
					t.Errorf("row %d is listed after row %d was seen", listed, seen)
					return
				}
			}
		})
	}
	for i := range 20_000 {
		s.Put(result("a", provider.StateRunning, strconv.Itoa(i)))
	}
	close(stop)
	readers.Wait()
}
