package provider

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine turns a text of unknown origin into one printable line, such as a row's detail:
// what cannot be printed becomes a blank, runs of blanks become one, and a line longer
// than limit bytes is cut between two characters and ends in ….
func OneLine(s string, limit int) string {
	line, _ := FoldLine(s, limit)
	return CutLine(line, limit)
}

// FoldLine is OneLine without the cut: it stops when the line has more than most bytes,
// and returns how much of s it has read.
func FoldLine(s string, most int) (line string, read int) {
	var b strings.Builder
	b.Grow(min(len(s), most+utf8.UTFMax))
	blank := true // leading blanks go too
	for i, c := range s {
		if b.Len() > most {
			return b.String(), i
		}
		if c == ' ' || c > '~' && (c == utf8.RuneError || !unicode.IsPrint(c)) || c < ' ' || c == 0x7f {
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
			continue
		}
		b.WriteRune(c)
		blank = false
	}
	return strings.TrimSuffix(b.String(), " "), len(s)
}

// CutLine cuts a line at limit bytes, between two characters, and appends ….
func CutLine(line string, limit int) string {
	const mark = "…"
	if len(line) <= limit {
		return line
	}
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + mark
}

// IsPlain reports whether s is printable ASCII without runs of blanks: one line as it is.
func IsPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && i > 0 && s[i-1] == ' ' {
			return false
		}
	}
	return true
}
