package store

import (
	"bytes"
	"fmt"
	"math"
	"sync"

	"github.com/providerd/providerd/store/provider"
)

// checkText refuses a row that cannot be encoded, which only NaN and infinities cannot.
func checkText(st *provider.Status) error {
	if f := st.LatencyMS; math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("encode the row of %s: latency_ms is %v", st.ID, f)
	}
	for _, l := range st.Limits.All() {
		for _, n := range [...]*float64{l.Remaining, l.Limit} {
			if n != nil && (math.IsNaN(*n) || math.IsInf(*n, 0)) {
				return fmt.Errorf("encode the row of %s: the limit %s is %v", st.ID, l.Name, *n)
			}
		}
	}
	return nil
}

// fields is the encoded Status without the fields that depend on the time of the
// request, and without the closing brace. It is encoded for the first reader; once a row
// has had a reader, its successors are encoded in advance. See docs/decisions/memory.md.
func (r *Row) fields() []byte {
	if !r.asked.Load() { // a needless write would take the row from other readers' caches
		r.asked.Store(true)
	}
	return r.encoded()
}

// encoded is fields without counting as a read.
func (r *Row) encoded() []byte {
	if text := r.text.Load(); text != nil {
		return *text
	}
	text := encode(&r.Status)
	r.text.Store(&text) // a concurrent caller stores the same text
	return text
}

// follows notes which row this one replaces.
func (r *Row) follows(old *Row) {
	if old.asked.Load() {
		r.encoded()
	}
}

// whole is the row as it is written to the disk. The caller may keep the text.
func (r *Row) whole() []byte {
	text := r.text.Load()
	if text == nil { // a write to the disk is no reason to keep the text in memory
		return append(encode(&r.Status), '}')
	}
	return append(bytes.Clone(*text), '}')
}

// texts are buffers for the JSON of rows, whose size is not known in advance.
var texts = sync.Pool{New: func() any { return new(rowText) }}

func encode(st *provider.Status) []byte {
	w := texts.Get().(*rowText)
	defer texts.Put(w)
	w.text = w.text[:0]
	w.status(st)
	return bytes.Clone(w.text)
}
