package control

import (
	"bytes"
	"encoding/json"
)

// maxKept bounds the buffers that are kept for later replies.
const maxKept = 1 << 20

// encode appends v as one line of JSON, with <, > and & as they are: no browser
// reads this, people do.
func encode(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return buf.Bytes(), err
}

// buffer returns an empty buffer, to be given back with keep.
func (s *Server) buffer() *[]byte { return s.buffers.Get().(*[]byte) }

// keep takes back a buffer whose contents, now b, are no longer needed.
func (s *Server) keep(p *[]byte, b []byte) {
	if cap(b) > maxKept {
		return
	}
	*p = b[:0]
	s.buffers.Put(p)
}
