package ctl

import (
	"strings"

	"github.com/rivo/uniseg"
)

// displayWidth is how many columns of a terminal s takes: two for a wide character, none
// for a combining one.
func displayWidth(s string) int {
	width := 0
	for i := 0; i < len(s); width++ {
		switch {
		case s[i] < 0x80:
			i++
		case isBar(s[i:]): // a screen may have thousands of them
			i += len("▁")
		default:
			return uniseg.StringWidth(s)
		}
	}
	return width
}

// isBar reports whether s begins with one of the bars ▁ to █, which take one column each.
func isBar(s string) bool {
	return len(s) >= 3 && s[:2] == "▁"[:2] && "▁"[2] <= s[2] && s[2] <= "█"[2]
}

// cut shortens s to at most width columns, between grapheme clusters, and marks the cut.
func cut(s string, width int) string {
	if displayWidth(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return take(s, width-1) + "…"
}

// take returns the longest start of s that fits in width columns.
func take(s string, width int) string {
	rest, state, used, end := s, -1, 0, 0
	for rest != "" {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+w > width {
			break
		}
		used += w
		end += len(cluster)
	}
	return s[:end]
}

// pad fills s with spaces up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-displayWidth(s)))
}

// wrap breaks s into lines of at most width columns: between words, or within a word that
// is longer than a line. A width below 1 means no limit.
func wrap(s string, width int) []string {
	if width < 1 || displayWidth(s) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" {
			if displayWidth(line)+1+displayWidth(word) <= width {
				line += " " + word
				continue
			}
			lines = append(lines, line)
		}
		for displayWidth(word) > width {
			start := take(word, width)
			if start == "" { // a wide character in one column
				break
			}
			lines = append(lines, start)
			word = word[len(start):]
		}
		line = word
	}
	return append(lines, line)
}
