package provider

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine makes a text of unknown origin one printable line, as a row's detail is:
// what cannot be printed becomes a blank, runs of blanks become one, and what is
// longer than limit bytes ends in … where it was cut, between two characters.
func OneLine(s string, limit int) string {
	const mark = "…"
	var b strings.Builder
	b.Grow(min(len(s), 2048))
	blank := false
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) || r == ' ' {
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	line := b.String()
	if len(line) <= limit {
		return line
	}
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + mark
}
