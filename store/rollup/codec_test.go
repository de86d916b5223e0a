package rollup_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

func written(b *rollup.Bucket) []byte { return b.Append(nil) }

func mustRead(t testing.TB, text []byte) rollup.Bucket {
	t.Helper()
	b, err := rollup.ReadBucket(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// full has every field.
func full() (b rollup.Bucket) {
	for i, state := range provider.States {
		b.Spend(state, provider.OK, time.Duration(i+1)*time.Minute)
	}
	b.Spend(provider.StateDegraded, provider.Slow, time.Second)
	for i := range 100 {
		b.Probed(i%3 != 0, time.Duration(i*i)*time.Millisecond)
	}
	return b
}

func TestBucket_IsReadAsWritten(t *testing.T) {
	b := full()
	if b.Known() == 0 || b.Usable() != b.In(provider.StateRunning)+time.Second || b.Probes != 100 || b.OK != 66 {
		t.Errorf("%+v", b)
	}
	read := mustRead(t, written(&b))
	if !reflect.DeepEqual(read.States(), b.States()) || read.Usable() != b.Usable() || read.Probes != b.Probes || read.OK != b.OK || read.Max != b.Max {
		t.Errorf("read %+v, wrote %+v", read, b)
	}
	for _, q := range []float64{0, 0.5, 0.95, 0.99, 1} {
		if read.Quantile(q) != b.Quantile(q) {
			t.Errorf("quantile %g is %s, was %s", q, read.Quantile(q), b.Quantile(q))
		}
	}
	var empty rollup.Bucket
	if read := mustRead(t, written(&empty)); !read.IsEmpty() {
		t.Errorf("an empty bucket became %+v", read)
	}
}

// Truncated anywhere, a written bucket is an error; so is whatever follows one.
func TestReadBucket_RefusesWhatIsIncomplete(t *testing.T) {
	var times rollup.Bucket
	times.Spend(provider.StateRunning, provider.OK, time.Hour)
	text := written(&times)
	for n := range text {
		if _, err := rollup.ReadBucket(text[:n]); err == nil {
			t.Errorf("%x is read", text[:n])
		}
	}
	for _, bad := range [][]byte{append(text, 0), {2, 0}, {1, 0x80, 0, 1}, {1, 0x80, 0, 1, 0, 0}, {1, 0x80, 0, 255, 1}, {1, 0x40, 1, 2}} {
		if b, err := rollup.ReadBucket(bad); err == nil {
			t.Errorf("%x is read as %+v", bad, b)
		}
	}
}

func TestSketch_IsWithinFivePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, span := range []float64{2, 100, 1e6} {
		var s, other rollup.Sketch
		var all []time.Duration
		for i := range 5000 {
			d := time.Duration(float64(50*time.Microsecond) * (1 + random.Float64()*random.Float64()*span))
			all = append(all, d)
			if i%2 == 0 {
				s.Add(d)
			} else {
				other.Add(d)
			}
		}
		s.Merge(&other)
		slices.Sort(all)
		for _, q := range []float64{0.001, 0.5, 0.95, 0.99, 1} {
			want := all[max(0, int(q*float64(len(all)))-1)]
			if got := s.Quantile(q); got < want*94/100 || got > want*106/100 {
				t.Errorf("quantile %g is %s, want %s", q, got, want)
			}
		}
		if s.Count() != 5000 {
			t.Errorf("%d counted", s.Count())
		}
	}
}

// The open bucket adds up as a bucket does, and continues where it was.
func TestOpen_AddsUpAsABucket(t *testing.T) {
	at := time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)
	var o rollup.Open
	b := rollup.Bucket{Time: at, Step: rollup.Hour}
	for i := range 300 {
		if i == 150 {
			half := o.Bucket(at)
			o = rollup.Reopen(&half)
		}
		latency := time.Duration(i%97) * 7 * time.Millisecond
		o.Probed(i%5 > 0, latency)
		b.Probed(i%5 > 0, latency)
		state := provider.States[i%len(provider.States)]
		o.Spend(state, provider.Slow, time.Second)
		b.Spend(state, provider.Slow, time.Second)
	}
	got := o.Bucket(at)
	if string(written(&got)) != string(written(&b)) {
		t.Errorf("%+v, want %+v", got, b)
	}
	if o.Reset(); !o.IsEmpty() {
		t.Error("it is not empty")
	}
	if empty := o.Bucket(at); !empty.IsEmpty() {
		t.Errorf("it has %+v", empty)
	}
}

func TestChanges_AreReadAsWritten(t *testing.T) {
	at := time.Date(2026, 11, 28, 7, 0, 0, 5e6, time.UTC)
	changes := []rollup.Change{
		{Time: at, State: provider.StateRunning, Reason: provider.OK},
		{Time: at.Add(time.Millisecond), State: provider.StateStopped, Reason: provider.ConnectionRefused},
		{Time: at.AddDate(0, -1, 0), State: provider.StateRunning, Reason: provider.OK}, // the clock was set back
		{Time: at.AddDate(1, 0, 0), State: ""},
		{Time: at.AddDate(1, 0, 1), State: provider.StateUnknown, Reason: "a_reason_of_a_later_version"},
	}
	text := rollup.AppendChanges(nil, changes)
	read, err := rollup.ReadChanges(text)
	if err != nil || !reflect.DeepEqual(read, changes) {
		t.Errorf("%v (%v), want %v", read, err, changes)
	}
	if _, err := rollup.ReadChanges(text[:len(text)-1]); err == nil {
		t.Error("a truncated list is read")
	}
	// A clock without a battery starts in 1970, and one may be far ahead.
	for _, odd := range []time.Time{{}, time.Unix(-5, 0), at.AddDate(500, 0, 0)} {
		if _, err := rollup.ReadChanges(rollup.AppendChanges(nil, []rollup.Change{{Time: odd}, {Time: at}})); err != nil {
			t.Errorf("%s: %v", odd, err)
		}
	}
}

// Every state has a number of its own, which never changes.
func TestCodes_NeverChange(t *testing.T) {
	want := map[provider.State]byte{
		"": 0, provider.StateUnknown: 1, provider.StateStopped: 2, provider.StateStarting: 3,
		provider.StateRunning: 4, provider.StateDegraded: 5, provider.StateError: 6,
	}
	for _, state := range append(provider.States[:], "") {
		code, ok := want[state]
		if got := rollup.CodeOf(state); !ok || got != code {
			t.Errorf("%q is %d, want %d", state, got, code)
		}
		if back, ok := rollup.StateOf(code); !ok || back != state {
			t.Errorf("%d is %q", code, back)
		}
	}
	// A bucket from a file of version 1, byte by byte.
	b := mustRead(t, []byte{1, 0b1100_0101, 0xe8, 0x07, 0xd0, 0x0f, 10, 1, 0x88, 0x27, 100, 3, 0, 2, 6})
	if b.In(provider.StateStopped) != time.Second || b.In(provider.StateRunning) != 2*time.Second || b.Probes != 10 || b.OK != 9 ||
		b.Max != 5*time.Millisecond || b.Latency.Count() != 9 {
		t.Errorf("%+v", b)
	}
}

func FuzzReadBucket(f *testing.F) {
	b := full()
	f.Add(written(&b))
	f.Add([]byte{1, 0xff})
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := rollup.ReadBucket(text)
		if err != nil {
			return
		}
		if b.OK > b.Probes || b.Known() < 0 || b.Quantile(0.5) < 0 {
			t.Fatalf("%+v", b)
		}
		again := mustRead(t, written(&b))
		if string(written(&again)) != string(written(&b)) {
			t.Fatalf("%+v became %+v", b, again)
		}
		open := rollup.Reopen(&b)
		_ = open.Bucket(time.Time{})
		b.Merge(&again)
		mustRead(t, written(&b))
	})
}

func FuzzReadChanges(f *testing.F) {
	f.Add(rollup.AppendChanges(nil, []rollup.Change{{Time: time.Unix(1e9, 0), State: provider.StateRunning, Reason: provider.OK}}))
	f.Fuzz(func(t *testing.T, text []byte) {
		changes, err := rollup.ReadChanges(text)
		if err != nil {
			return
		}
		again, err := rollup.ReadChanges(rollup.AppendChanges(nil, changes))
		if err != nil || len(again) != len(changes) {
			t.Fatalf("%v became %v (%v)", changes, again, err)
		}
	})
}

// What answers requests is decided by provider.Usable alone, as for pick and for the events.
func TestBucket_UsableIsWhatProviderSays(t *testing.T) {
	for _, state := range []provider.State{provider.StateStopped, provider.StateStarting, provider.StateRunning, provider.StateDegraded, provider.StateError} {
		for _, reason := range []provider.Reason{"", provider.Slow, provider.VendorIncident, provider.ServerError} {
			var b rollup.Bucket
			var o rollup.Open
			b.Spend(state, reason, time.Minute)
			o.Spend(state, reason, time.Minute)
			open := o.Bucket(time.Time{})
			if want := provider.Usable(state, reason); (b.Usable() > 0) != want || (open.Usable() > 0) != want {
				t.Errorf("%s %s: usable for %s, and in the open hour for %s", state, reason, b.Usable(), open.Usable())
			}
		}
	}
}
