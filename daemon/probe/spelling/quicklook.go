package spelling

import (
	"strings"
	"unicode/utf8"
)

// Doubts reports whether s must be read with care because a secret may be in it. Nearly
// every text of every probe is checked only here. So it reads the text once and allocates
// nothing, unless something looks like base64 or hex of a text. It can be wrong if it says
// yes, but never if it says no.
func (m *Secrets) Doubts(s string) bool {
	return m != nil && (m.unusual || m.doubtsIn(s, maxCoded))
}

// doubtsIn is Doubts for what may be the inside of base64 or hex; coded is how many more
// times those may be decoded.
func (m *Secrets) doubtsIn(s string, coded int) bool {
	for i := range m.short {
		if strings.Contains(s, m.short[i].text) {
			return true
		}
	}
	var run uint64   // the last characters
	var n int        // how many
	var code uint32  // how many of the last may be base64
	var unseenTo int // where invisible characters end
	for i := range len(s) {
		c := chars[s[i]]
		if c&(blank|odd|escapes) != 0 {
			switch {
			case c&blank != 0 || i < unseenTo:
				continue
			case c&escapes != 0 && isEscape(s[i:]), c&odd != 0 && len(m.short) > 0:
				return true
			case c&odd != 0:
				if unseenTo = i + gap(s[i:]); i < unseenTo {
					continue
				}
			}
		}
		run = run<<8 | uint64(c&lowered)
		if n++; n%sampleEvery == 0 && m.maybe(run) && m.has(run, sampleLength) {
			return true
		}
		if code = (code + 1) * (c / sextet & 1); code == uint32(base64Code.least) && m.doubtsCode(s, i, coded) {
			return true
		}
	}
	return false
}

// doubtsCode is doubtsIn for the text around i, if that is base64 or hex.
func (m *Secrets) doubtsCode(s string, i, coded int) bool {
	if coded == 0 {
		return false
	}
	const around = sextet | blank | odd
	from, to := i, i
	for from > 0 && chars[s[from-1]]&around != 0 {
		from--
	}
	for to < len(s) && chars[s[to]]&around != 0 {
		to++
	}
	if !maybeCode(s[from:to]) {
		return false
	}
	seen := text{s[from:to], make([]span, to-from)}.seen().string
	doubtful := false
	eachCode(seen, func(code *basecode, from, to int) {
		texts(code.decode(nil, seen[from:to]), false, func(_ int, inner []byte) {
			doubtful = doubtful || m.doubtsIn(string(inner), coded-1)
		})
	})
	return doubtful
}

// maybeCode reports whether s, made of base64 characters and gaps, may be base64 or hex of
// a text with a run of a secret: whether enough decoded bytes in a row are text, from any
// place where a group may begin.
func maybeCode(s string) bool {
	var (
		bits   uint32   // of the last characters in base64
		octets [4]uint8 // that are text, from each place
		pair   uint8
		pairs  [2]uint8
		n      int // characters
	)
	for i := range len(s) {
		c := chars[s[i]]
		if c&sextet == 0 {
			continue
		}
		bits = bits<<6 | c>>sextetAt&63
		for place := range octets {
			if phase := (n - place) & 3; phase > 0 { // otherwise it has only part of an octet
				octets[place] = longer(octets[place], uint8(bits>>(6-2*phase)))
			}
			if octets[place] == runLength {
				return true
			}
		}
		pair = pair<<4 | uint8(c>>nibbleAt&15)
		if pairs[n&1] = longer(pairs[n&1], pair); c&nibble == 0 {
			pairs[n&1] = 0
		}
		if pairs[n&1] == runLength {
			return true
		}
		n++
	}
	return false
}

// longer is how many characters of text are in a row after one more octet. Gaps do not
// count, and do not end the row.
func longer(n, octet uint8) uint8 {
	switch {
	case isGapOctet(octet):
		return n
	case isText(octet, false):
		return n + 1
	}
	return 0
}

func isOddOrEscape(c rune) bool { return c >= utf8.RuneSelf || chars[c]&(odd|escapes) != 0 }

// isEscape reports whether s may begin with an escape.
func isEscape(s string) bool {
	var next [2]uint32 // characters without gaps
	for i, n := 1, 0; i < len(s) && n < len(next); {
		size := gap(s[i:])
		if size == 0 {
			next[n] = chars[s[i]]
			n++
			size = 1
		}
		i += size
	}
	switch s[0] {
	case '%', '=':
		return next[0]&next[1]&nibble != 0 || s[0] == '%' && next[0]&lowered == 'u' || s[0] == '=' && len(s) > 1 && gap(s[1:]) != 0
	case '&':
		return next[0]&wordly != 0 || next[0]&lowered == '#'
	}
	return true
}
