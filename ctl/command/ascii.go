package command

import "strings"

// asciiMarks spells the marks beyond ASCII in the programs' own texts. It is made when it
// is first needed.
func asciiMarks() *strings.Replacer {
	return strings.NewReplacer(
		" ·", ",", // between the items of a list
		"…", "...", "→", "->", "●", "*", "·", "-", "–", "-", "—", "-", "−", "-", "×", "x", "µ", "u",
		"‘", "'", "’", "'", "“", `"`, "”", `"`, "≤", "<=", "≥", ">=",
	)
}

// ASCII spells a text for people in ASCII. A character that cannot be spelled becomes a
// question mark.
func ASCII(text string) string {
	if isASCII(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r >= 0x80 {
			return '?'
		}
		return r
	}, asciiMarks().Replace(text))
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
