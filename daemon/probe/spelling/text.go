package spelling

import "unicode/utf8"

// A text is a source, or what part of one stands for. Each byte knows its part of the
// source.
type text struct {
	string
	of []span
}

// A span is part of the source, in bytes.
type span struct{ from, to int32 }

// textOf is a source as it is.
func textOf(s string) text {
	t := text{s, make([]span, len(s))}
	for i := range t.of {
		t.of[i] = span{int32(i), int32(i + 1)}
	}
	return t
}

// span is the part of the source for a part of the text.
func (t text) span(from, to int) span { return span{t.of[from].from, t.of[to-1].to} }

// seen is t without blanks and invisible characters.
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

// gap is the length of the blank or invisible character at the beginning of s; 0 if there
// is neither.
func gap(s string) int {
	if chars[s[0]]&(blank|odd) == 0 {
		return 0
	}
	if c, size := utf8.DecodeRuneInString(s); len(character(c)) < 2 {
		return size
	}
	return 0
}

// besideEscape is how many characters an escape and the run of a secret around it may take.
// Leading zeros of a number do not count.
const besideEscape = longestName + 2*runLength

// escapes are the parts of t with escapes and what is beside them. None cuts through
// possible base64.
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

// backFrom is where the part around an escape at i begins.
func (t text) backFrom(i int) int {
	for n := 0; i > 0 && (n < runLength || chars[t.string[i-1]]&(sextet|blank|odd) != 0); i-- {
		if chars[t.string[i-1]]&(blank|odd) == 0 {
			n++
		}
	}
	return i
}

// onFrom is where that part ends.
func (t text) onFrom(i int) int {
	for n := 0; i < len(t.string) && (n < besideEscape || chars[t.string[i]]&(sextet|blank|odd) != 0); i++ {
		if c := t.string[i]; chars[c]&(blank|odd) == 0 && c != '0' {
			n++
		}
	}
	return i
}
