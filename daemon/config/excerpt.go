package config

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// A span is a range of bytes in the file.
type span struct{ start, end int }

// nowhere is the span of what is not in the file.
var nowhere = span{-1, -1}

func (p span) known() bool { return p.start >= 0 }

// position is the line and column, from 1, of an offset. Columns count characters, as in
// editors.
func position(data []byte, offset int) (line, column int) {
	before := data[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// excerpt shows the line where p starts, with a marker under the range:
//
//	3 | interval = "10"
//	  |            ^^^^
func excerpt(data []byte, p span) string {
	start := bytes.LastIndexByte(data[:p.start], '\n') + 1
	end := len(data)
	if i := bytes.IndexByte(data[start:], '\n'); i >= 0 {
		end = start + i
	}
	text := printable(strings.TrimSuffix(string(data[start:end]), "\r"))
	from := utf8.RuneCount(data[start:p.start])
	width := utf8.RuneCount(data[p.start:max(p.start, min(p.end, end))])

	shown := []rune(text)
	hidden := []rune(masked)
	if !insideSecretBlock(data, start) {
		hidden = []rune(maskSecrets(text))
	}
	if same := commonPrefix(shown, hidden); same < len(shown) || len(hidden) != len(shown) {
		if from+width > same { // the range is masked, or has moved
			from, width = min(from, same), max(1, same-from)
			if from == same {
				width = min(len(masked), len(hidden)-from)
			}
		}
		shown = hidden
	}
	shown, from, width = clip(shown, from, width)
	end = min(len(shown), from+width)
	if from <= end { // wide characters take two columns, combining ones none
		from, width = uniseg.StringWidth(string(shown[:from])), uniseg.StringWidth(string(shown[from:end]))
	}
	number, _ := position(data, p.start)
	margin := fmt.Sprintf("%4d", number)
	return fmt.Sprintf("%s | %s\n%s | %s%s", margin, string(shown),
		strings.Repeat(" ", len(margin)), strings.Repeat(" ", from), strings.Repeat("^", max(1, width)))
}

func commonPrefix(a, b []rune) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// excerptWidth is how many characters of a line are shown.
const excerptWidth = 100

// clip cuts a line that is too long to a window around the marked range.
func clip(line []rune, from, width int) ([]rune, int, int) {
	if len(line) <= excerptWidth {
		return line, from, width
	}
	const context, dots = 40, "…"
	cut := 0
	if from > excerptWidth-context {
		cut = min(from-context, len(line)-excerptWidth)
	}
	end := min(len(line), cut+excerptWidth)
	window := line[cut:end]
	if cut > 0 {
		window = append([]rune(dots), window[1:]...)
	}
	if end < len(line) {
		window = append(window[:len(window)-1:len(window)-1], []rune(dots)...)
	}
	return window, from - cut, min(width, len(window)-(from-cut))
}
