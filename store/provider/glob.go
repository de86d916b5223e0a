package provider

import (
	"path"
	"strings"
)

// IsGlob reports whether a word is a pattern. It has a character that no id has.
func IsGlob(word string) bool { return strings.ContainsAny(word, `*?[`) }

// MatchGlob reports whether a pattern matches an id. Patterns are those of shells: * is any
// text, ? any character, [a-c] one of those and [!a-c] any other. A word without such a
// character is an id. It fails if the pattern is malformed.
func MatchGlob(pattern, id string) (bool, error) {
	if !IsGlob(pattern) {
		return pattern == id, nil
	}
	return path.Match(strings.ReplaceAll(pattern, "[!", "[^"), id) // as package path has it
}
