package provider

import "regexp"

// MaxID is the length of the longest id.
const MaxID = 64

// idPattern is deliberately narrow: an id is typed in shells, is part of URLs, and is a key of
// the database.
var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(:[a-z0-9][a-z0-9._-]*)?$`)

// IsSpelledAsID reports whether an id has the form of a provider's, whatever its length: a-z,
// 0-9, ".", "_", "-", and one ":" before an instance.
func IsSpelledAsID(id string) bool { return idPattern.MatchString(id) }

// IsReservedID reports whether an id is a word of the control socket's own.
func IsReservedID(id string) bool { return id == "status" || id == "refresh" || id == HostID }

// CanBeID reports whether a provider can have an id.
func CanBeID(id string) bool {
	return len(id) <= MaxID && IsSpelledAsID(id) && !IsReservedID(id)
}
