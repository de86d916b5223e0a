package ctl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// printable returns s with everything escaped that a terminal could take for
// more than text: control characters, line breaks, marks that reverse the
// direction of writing, bytes that are no UTF-8.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if !shows(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i]), 16))
		case r == utf8.RuneError, shows(r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteByte(' ')
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// shows reports whether a character is a visible one, a space, or a joiner
// within a cluster of visible ones.
func shows(r rune) bool {
	const (
		nonJoiner = '\u200c'
		joiner    = '\u200d'
	)
	switch r {
	case utf8.RuneError:
		return false // perhaps a byte that is no UTF-8
	case nonJoiner, joiner:
		return true
	}
	return strconv.IsPrint(r)
}

// printableJSON escapes in a JSON text what a terminal could take for more than
// text. Only strings can hold such characters, and there the escape means the
// same. Line breaks and tabs between values stay.
func printableJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if r == '\n' || r == '\t' || r == utf8.RuneError || shows(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}
