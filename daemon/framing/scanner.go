package framing

import "bytes"

// A scanner follows the requests of one connection, which come in pieces of any size.
// Its zero value is at the beginning of the first request.
type scanner struct {
	at    phase
	head  head
	size  int   // of the head so far
	left  int64 // of the body or the chunk
	carry []byte
	small [128]byte // where carry begins, so that most lines cost no allocation
}

// A phase is what the scanner expects next.
type phase int

const (
	inHead phase = iota
	inBody
	inChunkSize
	inChunk
	afterChunk // the end of its line
	afterBody  // the empty line after the last chunk, as trailers are refused
)

// take scans the next bytes. It returns how many of them may be passed on, and how many
// heads end in them. After a refusal the remaining bytes belong to a malformed request,
// and take must not be called again.
func (s *scanner) take(p []byte) (good, heads int, bad *Refusal) {
	for i := 0; i < len(p); {
		before := s.at
		if before == inBody || before == inChunk {
			n := min(s.left, int64(len(p)-i))
			s.left -= n
			i += int(n)
			s.endOfData()
			good = i
			continue
		}
		line, n, bad := s.line(p[i:])
		if bad != nil {
			return good, heads, bad
		}
		if i += n; line == nil {
			break
		}
		if bad := s.step(line[:len(line)-len("\r\n")]); bad != nil {
			return good, heads, bad
		}
		s.carry = s.carry[:0]
		if s.size == 0 { // a head has ended, or a line after it
			good = i
			if before == inHead {
				heads++
			}
		}
	}
	return len(p), heads, nil
}

// endOfData moves on after a complete body or chunk.
func (s *scanner) endOfData() {
	switch {
	case s.left > 0:
	case s.at == inBody:
		s.at = inHead
	default:
		s.at = afterChunk
	}
}

// endOfHead moves on after a valid head.
func (s *scanner) endOfHead() {
	switch {
	case s.head.chunked:
		s.at = inChunkSize
	case s.head.length > 0:
		s.at, s.left = inBody, s.head.length
	}
	s.head, s.size = head{}, 0
	if cap(s.carry) > len(s.small) {
		s.carry = nil
	}
}

// line returns the line that ends in p, with its line end and the part that came before,
// and how many bytes of p belong to it; nil if it does not end in p.
func (s *scanner) line(p []byte) (line []byte, n int, bad *Refusal) {
	end := bytes.IndexByte(p, '\n')
	n = end + 1
	if end < 0 {
		n = len(p)
	}
	if s.at == inHead {
		if s.size += n; s.size > maxHead {
			return nil, 0, tooLong()
		}
	}
	line = p[:n]
	if end < 0 || len(s.carry) > 0 {
		if len(s.carry)+n > maxHead {
			return nil, 0, tooLong()
		}
		if s.carry == nil {
			s.carry = s.small[:0]
		}
		s.carry = append(s.carry, p[:n]...)
		line = s.carry
	}
	if bad := checkBytes(line, end >= 0); bad != nil || end < 0 {
		return nil, n, bad
	}
	return line, n, nil
}

// checkBytes refuses control characters other than tabs and the CRLF at the end. An
// incomplete line may end in CR.
func checkBytes(line []byte, whole bool) *Refusal {
	text := line
	if whole {
		text = line[:len(line)-1]
		if len(text) == 0 || text[len(text)-1] != '\r' {
			return malformed("end each line in CRLF", "a line ends in LF alone")
		}
	}
	if len(text) > 0 && text[len(text)-1] == '\r' {
		text = text[:len(text)-1]
	}
	for _, c := range text {
		switch {
		case c >= ' ' && c != 0x7f || c == '\t':
		case c == '\r':
			return malformed("end each line in CRLF", "CR without LF")
		default:
			return malformed("send it encoded, or not at all", "the control character %#02x", c)
		}
	}
	return nil
}

// step processes a complete line, without its line end.
func (s *scanner) step(line []byte) *Refusal {
	switch s.at {
	case inHead:
		if len(line) > 0 {
			return s.head.add(line)
		}
		if bad := s.head.end(); bad != nil {
			return bad
		}
		s.endOfHead()
	case inChunkSize:
		size, bad := chunkSize(line)
		if bad != nil {
			return bad
		}
		if s.at, s.left = inChunk, size; size == 0 {
			s.at = afterBody
		}
	case afterChunk:
		if len(line) > 0 {
			return malformed("send as many bytes as the chunk's size says", "a chunk longer than its size")
		}
		s.at = inChunkSize
	case afterBody:
		if len(line) > 0 {
			return malformed("send no trailers", "a trailer after the chunks")
		}
		s.at = inHead
	}
	return nil
}
