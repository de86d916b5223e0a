package provider

import "strings"

// MaxID is the length of the longest id.
const MaxID = 64

// IsSpelledAsID reports whether an id has the form of a provider's, whatever its length: a-z,
// 0-9, ".", "_", "-", and one ":" before an instance. That is deliberately narrow: an id is
// typed in shells, is part of URLs, and is a key of the database.
func IsSpelledAsID(id string) bool {
	name, instance, several := strings.Cut(id, ":")
	return isIDWord(name) && (!several || isIDWord(instance))
}

func isIDWord(word string) bool {
	for i := range len(word) {
		c := word[i]
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return word != ""
}

// IsReservedID reports whether an id is a word of the control socket's own.
func IsReservedID(id string) bool { return id == "status" || id == "refresh" || id == HostID }

// CanBeID reports whether a provider can have an id.
func CanBeID(id string) bool {
	return len(id) <= MaxID && IsSpelledAsID(id) && !IsReservedID(id)
}
