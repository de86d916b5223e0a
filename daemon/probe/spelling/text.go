package spelling

import "unicode/utf8"

// A text is a source, or what a part of one stands for. Each of its bytes knows which
// part of the source that is.
type text struct {
	string
	of []span
}

// A span is a part of the source, in bytes.
type span struct{ from, to int32 }

// textOf is a source as it stands.
func textOf(s string) text {
	t := text{s, make([]span, len(s))}
	for i := range t.of {
		t.of[i] = span{int32(i), int32(i + 1)}
	}
	return t
}

// span is the part of the source for a part of the text.
func (t text) span(from, to int) span { return span{t.of[from].from, t.of[to-1].to} }

// seen is t without its blanks and what nobody sees.
func (t text) seen() text {
	stands := make([]byte, 0, len(t.string))
	of := make([]span, 0, len(t.string))
	for i := 0; i < len(t.string); {
		size := gap(t.string[i:])
		if size == 0 {
			stands, of = append(stands, t.string[i]), append(of, t.of[i])
			size = 1
		}
		i += size
	}
	return text{string(stands), of}
}

// gap is how long the blank is with which s begins, or what nobody sees; 0 when it is
// neither.
func gap(s string) int {
	if chars[s[0]]&(blank|odd) == 0 {
		return 0
	}
	if c, size := utf8.DecodeRuneInString(s); len(character(c)) < 2 {
		return size
	}
	return 0
}

// besideEscape is how many characters belong to an escape and to the run of a secret
// that it is in, zeros left out, which may lead a number.
const besideEscape = longestName + 2*runLength

// escapes are the parts of t with escapes in them, and what is beside those. Each has
// the whole of what may be base64.
func (t text) escapes() (parts []span) {
	for i := range t.string {
		if chars[t.string[i]]&escapes == 0 || !isEscape(t.string[i:]) {
			continue
		}
		from, to := t.backFrom(i), t.onFrom(i)
		if n := len(parts) - 1; n >= 0 && from <= int(parts[n].to) {
			parts[n].to = max(parts[n].to, int32(to))
		} else {
			parts = append(parts, span{int32(from), int32(to)})
		}
	}
	return parts
}

// backFrom is where the part begins that an escape at i is in.
func (t text) backFrom(i int) int {
	for n := 0; i > 0 && (n < runLength || chars[t.string[i-1]]&(sextet|blank|odd) != 0); i-- {
		if chars[t.string[i-1]]&(blank|odd) == 0 {
			n++
		}
	}
	return i
}

// onFrom is where it ends.
func (t text) onFrom(i int) int {
	for n := 0; i < len(t.string) && (n < besideEscape || chars[t.string[i]]&(sextet|blank|odd) != 0); i++ {
		if c := t.string[i]; chars[c]&(blank|odd) == 0 && c != '0' {
			n++
		}
	}
	return i
}
