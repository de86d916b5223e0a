package spelling

import "unicode/utf8"

// A basecode writes bytes as printable characters, a fixed number of bits in each.
type basecode struct {
	class uint32 // of its characters
	shift int    // where their values are in chars
	bits  int    // in each character
	// group is how many characters make whole bytes. A run of characters may begin at any
	// character of a group.
	group int
	least int // how many characters a run of a secret takes
}

var (
	// base64 is that of RFC 4648, in either alphabet, with or without padding.
	base64Code = basecode{class: sextet, shift: sextetAt, bits: 6, group: 4, least: (runLength*8 + 5) / 6}
	hexCode    = basecode{class: nibble, shift: nibbleAt, bits: 4, group: 2, least: runLength * 2}
)

// decode appends to out what code stands for. code begins with a whole group.
func (b *basecode) decode(out []byte, code string) []byte {
	var word uint32
	held := 0 // bits
	for _, c := range []byte(code) {
		word = word<<b.bits | chars[c]>>b.shift&(1<<b.bits-1)
		if held += b.bits; held >= 8 {
			held -= 8
			out = append(out, byte(word>>held))
		}
	}
	return out
}

// place is where in the code byte i of the decoded text begins. It ends with the next
// character.
func (b *basecode) place(i int) int { return i * 8 / b.bits }

// texts calls f with each part of decoded that may be text and has room for a run of a
// secret, and where that part begins. Unusual text is more than ASCII.
func texts(decoded []byte, unusual bool, f func(at int, inner []byte)) {
	at := 0
	for i := 0; i <= len(decoded); i++ {
		if i < len(decoded) && isText(decoded[i], unusual) {
			continue
		}
		if i-at >= runLength {
			f(at, decoded[at:i])
		}
		at = i + 1
	}
}

func isText(c byte, unusual bool) bool {
	return c >= ' ' && c <= '~' || isGapOctet(c) || unusual && c >= utf8.RuneSelf
}

// isGapOctet recognises what may be between two characters of a secret in base64 or hex: a
// line break, a tab, or the empty half of a UTF-16 character.
func isGapOctet(c byte) bool { return c == 0 || c != ' ' && chars[c]&blank != 0 }

// eachCode calls f with the decoded text of each part of t that may be base64 or hex of a
// text with a run of a secret, read from each place where a group may begin.
func (t text) eachCode(unusual bool, f func(inner text)) {
	eachCode(t.string, func(code *basecode, from, to int) {
		texts(code.decode(nil, t.string[from:to]), unusual, func(at int, inner []byte) {
			of := make([]span, len(inner))
			for i := range of {
				first := from + code.place(at+i)
				of[i] = span{t.of[first].from, t.of[first+1].to}
			}
			f(text{string(inner), of})
		})
	})
}

func eachCode(s string, f func(code *basecode, from, to int)) {
	for _, code := range []*basecode{&base64Code, &hexCode} {
		for to := 0; to < len(s); to++ {
			from := to
			for to < len(s) && chars[s[to]]&code.class != 0 {
				to++
			}
			for skip := 0; skip < code.group && to-from-skip >= code.least; skip++ {
				f(code, from+skip, to)
			}
		}
	}
}
