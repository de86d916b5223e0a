package command

import "strings"

// asciiMarks spells the marks that texts of the programs have beyond ASCII. It is not
// made until it is needed.
func asciiMarks() *strings.Replacer {
	return strings.NewReplacer(
		" ·", ",", // between the items of a list
		"…", "...", "→", "->", "●", "*", "·", "-", "–", "-", "—", "-", "−", "-", "×", "x", "µ", "u",
		"‘", "'", "’", "'", "“", `"`, "”", `"`, "≤", "<=", "≥", ">=",
	)
}

// ASCII spells a text for people without what is beyond ASCII. What has no such
// spelling becomes a question mark for each character.
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
