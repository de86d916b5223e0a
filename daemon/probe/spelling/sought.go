package spelling

import (
	"encoding/hex"
	"iter"
	"strings"
)

// sought are the long secrets in the forms to search for among escapes: as they are, and in
// base64 and hex, which may be escaped in turn. They are made on demand, because they would
// take too much memory in a Prober at rest.
type sought struct {
	text    string // each in lower case, before a line break
	hexFrom int32  // where those in hex begin
	first   [256]int32
	next    []int32 // for each octet of text, where the same octet comes next; 0 if it does not
}

func newSought(m *Secrets) (s sought) {
	var b strings.Builder
	b.WriteString("\n") // so that no secret is at 0
	b.WriteString(m.long)
	for secret := range strings.Lines(m.exact) {
		secret = strings.TrimSuffix(secret, "\n")
		for before := range 3 {
			standard := base64Of(before, secret)
			b.WriteString(lower(standard) + "\n")
			if forURLs := strings.NewReplacer("+", "-", "/", "_").Replace(standard); forURLs != standard {
				b.WriteString(lower(forURLs) + "\n")
			}
		}
	}
	s.hexFrom = int32(b.Len())
	for secret := range strings.Lines(m.exact) {
		b.WriteString(hex.EncodeToString([]byte(strings.TrimSuffix(secret, "\n"))) + "\n")
	}
	s.text = b.String()
	s.next = make([]int32, len(s.text))
	for i := int32(len(s.text) - 1); i > 0; i-- {
		c := s.text[i]
		s.next[i], s.first[c] = s.first[c], i
	}
	return s
}

// places are those of an octet, in order.
func (s *sought) places(c byte) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i := s.first[c]; i != 0 && yield(i); i = s.next[i] {
		}
	}
}
