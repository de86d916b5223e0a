package ctl

import (
	"cmp"
	"strings"

	"github.com/rivo/uniseg"
)

// plainASCII reports whether the locale is one of ASCII alone: C or POSIX, or none.
// Source: locale(7), the order of the variables.
func plainASCII(getenv func(string) string) bool {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"), "C")
	return locale == "C" || locale == "POSIX"
}

// asciiOf writes a text with the characters of ASCII, and in as many columns or fewer
// where that can be done.
func asciiOf(text string) string {
	text = strings.NewReplacer("…", "~", "–", "-", "—", "-", "−", "-", "·", "-", "→", ">", "×", "x",
		"“", `"`, "”", `"`, "‘", "'", "’", "'", "\u00a0", " ").Replace(text)
	var b strings.Builder
	for state := -1; text != ""; {
		var cluster string
		var width int
		cluster, text, width, state = uniseg.FirstGraphemeClusterInString(text, state)
		if len(cluster) > 1 && cluster != "\r\n" {
			cluster = strings.Repeat("?", width)
		}
		b.WriteString(cluster)
	}
	return b.String()
}
