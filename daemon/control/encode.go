package control

import (
	"bytes"
	"encoding/json"
)

// maxKept is the largest buffer that is kept for later replies.
const maxKept = 1 << 20

// encode appends v as one line of JSON, with <, > and & unescaped: people read this, not
// browsers.
func encode(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return buf.Bytes(), err
}

// buffer returns an empty buffer, to be returned with keep.
func (s *Server) buffer() *[]byte { return s.buffers.Get().(*[]byte) }

// keep takes back a buffer; its contents, now b, are no longer needed.
func (s *Server) keep(p *[]byte, b []byte) {
	if cap(b) > maxKept {
		return
	}
	*p = b[:0]
	s.buffers.Put(p)
}
