package store

import (
	"bytes"
	"fmt"
	"math"
	"sync"

	"github.com/providerd/providerd/store/provider"
)

// checkText refuses a row that cannot be encoded. All but a number that is none can be.
func checkText(st *provider.Status) error {
	if f := st.LatencyMS; math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("encode the row of %s: latency_ms is %v", st.ID, f)
	}
	return nil
}

// fields is the Status encoded, without what depends on the time of asking, and without
// its last brace. Where nobody asks, there is a newer row before anybody does: so it is
// encoded for whoever asks first, and ahead once somebody has asked for the row before.
// See docs/decisions/memory.md.
func (r *Row) fields() []byte {
	if !r.asked.Load() { // or else readers would take the row from each other's caches
		r.asked.Store(true)
	}
	return r.encoded()
}

// encoded is fields for nobody in particular.
func (r *Row) encoded() []byte {
	if text := r.text.Load(); text != nil {
		return *text
	}
	text := encode(&r.Status)
	r.text.Store(&text) // whoever does so at the same time has the same text
	return text
}

// follows takes in which row it takes the place of.
func (r *Row) follows(old *Row) {
	if old.asked.Load() {
		r.encoded()
	}
}

// whole is the row as it is kept on the disk, in a text that the caller may keep.
func (r *Row) whole() []byte {
	text := r.text.Load()
	if text == nil { // to write it is no reason to keep it
		return append(encode(&r.Status), '}')
	}
	return append(bytes.Clone(*text), '}')
}

// texts are where the JSON of rows grows before its size is known.
var texts = sync.Pool{New: func() any { return new(rowText) }}

func encode(st *provider.Status) []byte {
	w := texts.Get().(*rowText)
	defer texts.Put(w)
	w.text = w.text[:0]
	w.status(st)
	return bytes.Clone(w.text)
}
