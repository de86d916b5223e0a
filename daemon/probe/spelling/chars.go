package spelling

import "strings"

// chars says for each byte what it may be part of. The lowest eight bits are the letter in
// lower case.
var chars = newChars()

const (
	lowered  = 0xff
	sextetAt = 8  // six bits: the value in base64, of either alphabet
	nibbleAt = 14 // four bits: the value as a hex digit
)

const (
	sextet  uint32 = 1 << (18 + iota) // is of base64
	nibble                            // is a hex digit
	wordly                            // a letter or digit, or a part of a letter
	blank                             // a space or a line break
	escapes                           // begins an escape
	odd                               // neither printable ASCII nor a space
)

func newChars() (table [256]uint32) {
	for i := range table {
		c := byte(i)
		v := uint32(c)
		if c >= 'A' && c <= 'Z' {
			v += 'a' - 'A'
		}
		if n := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c); n >= 0 {
			v |= sextet | uint32(n)<<sextetAt
		} else if n := strings.IndexByte("-_", c); n >= 0 { // RFC 4648, section 5
			v |= sextet | uint32(62+n)<<sextetAt
		}
		if n := strings.IndexByte("0123456789abcdef", byte(v)); n >= 0 {
			v |= nibble | uint32(n)<<nibbleAt
		}
		if c >= 0x80 || c >= '0' && c <= '9' || byte(v) >= 'a' && byte(v) <= 'z' {
			v |= wordly
		}
		if strings.IndexByte(" \t\r\n", c) >= 0 {
			v |= blank
		}
		if strings.IndexByte(`\%&=`, c) >= 0 {
			v |= escapes
		}
		if c < ' ' || c > '~' {
			v |= odd
		}
		table[i] = v
	}
	return table
}

// lower is s with ASCII letters in lower case.
func lower(s string) string {
	out := []byte(s)
	for i, c := range out {
		out[i] = byte(chars[c] & lowered)
	}
	return string(out)
}
