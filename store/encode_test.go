package store_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A row is encoded exactly as by encoding/json, whatever is in it. A new field of
// provider.Status is filled in here, so a text without it fails the test.
func TestRow_AppendJSON_IsThatOfEncodingJSON(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	names := ids(2000)
	rows := make(map[string]store.Update, len(names))
	for i, id := range names {
		f := filler{random, float64(i) / float64(len(names))} // from nearly empty to full
		var st provider.Status
		f.fill(t, reflect.ValueOf(&st).Elem())
		rows[id] = store.Update{Status: st}
	}
	s := open(t, newPath(t), store.Options{})
	s.Configure(names, rows)
	view, now := s.View(), time.Now()
	for i := range view.Len() {
		row := view.At(i)
		want, err := json.Marshal(row.Current(now))
		if err != nil {
			t.Fatal(err)
		}
		if got := row.AppendJSON(nil, now); !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
	if view.Len() != len(names) {
		t.Errorf("%d rows of %d", view.Len(), len(names))
	}
}

// A probe without news allocates only a row and its text, or a new buffer for the text when
// the race detector makes the pool drop one.
func TestStore_Put_NoNewsCostsARow(t *testing.T) {
	s := configured(t, newPath(t), store.Options{}, "a")
	u := result("a", provider.StateRunning, "")
	u.Status.LatencyMS, u.Status.Client = 1.25, &provider.Client{OpenAIBaseURL: "http://127.0.0.1:11434/v1"}
	if n := testing.AllocsPerRun(100, func() { s.Put(u) }); n > 4 {
		t.Errorf("%v allocations, want at most 4", n)
	}
}

// A number that JSON cannot represent is refused and not written.
func TestStore_Configure_RefusesWhatIsNoNumber(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		u := result("a", provider.StateRunning, "")
		u.Status.LatencyMS = f
		s := open(t, newPath(t), store.Options{})
		s.Configure([]string{"a"}, map[string]store.Update{"a": u})
		if row := s.View().Row("a"); row != nil {
			t.Errorf("%v became %s", f, row.AppendJSON(nil, time.Now()))
		}
	}
}

// A filler fills values at random.
type filler struct {
	*rand.Rand
	full float64 // the share of fields that are filled
}

func (f filler) fill(t *testing.T, v reflect.Value) {
	if f.Float64() > f.full {
		return
	}
	if at, ok := v.Addr().Interface().(*provider.Time); ok {
		*at = provider.Time{Time: time.Unix(f.Int64N(4e9), f.Int64N(1e9))}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(t, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), f.IntN(3), 3))
		for i := range v.Len() {
			f.fill(t, v.Index(i))
		}
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.Uint64()) >> f.IntN(64))
	case reflect.Int32:
		v.SetInt(int64(int32(f.Uint32()) >> f.IntN(32)))
	case reflect.Uint64:
		v.SetUint(f.Uint64() >> f.IntN(64))
	case reflect.Float64:
		v.SetFloat(f.number())
	default:
		t.Fatalf("a %v cannot be filled: teach filler to", v.Type())
	}
}

// text has everything that JSON escapes, inside a text or alone.
func (f filler) text() string {
	pieces := []string{
		"a", "Z", "9", " ", "~", "\x7f", `"`, `\`, "/", "<", ">", "&", "'", "\x00", "\x1f", "\n", "\t", "\b",
		"é", "日", "\u2028", "\u2029", "\U0001f600", "\ufffd", "\xff", "\xe6\x97", "null", "{", "http://[::1]:1/v1",
	}
	text := ""
	for range f.IntN(6) {
		text += pieces[f.IntN(len(pieces))]
	}
	return text
}

// number has all lengths and sizes, including those where the notation changes.
func (f filler) number() float64 {
	numbers := []float64{0, 1e-7, 9.99e-7, 1e-6, 1e20, 1e21, 0.01, 1, 12.34, math.MaxFloat64, math.SmallestNonzeroFloat64}
	n := f.ExpFloat64() * math.Pow(10, float64(f.IntN(50)-25))
	if f.IntN(2) == 0 {
		n = numbers[f.IntN(len(numbers))]
	}
	return math.Copysign(n, f.Float64()-0.5)
}
