package wire

import (
	"strconv"
	"strings"
)

// The kinds of keys.
const (
	Members  = "members/"
	Claims   = "claim/"
	Rows     = "row/"
	ModelSet = "models/"
	Limits   = "limit/"
	Refresh  = "refresh/"
	Hosts    = "host/"
)

// MaxName is the length of the longest name of a member, in bytes.
const MaxName = 64

// IsMember reports whether a member can have that name: letters, digits, ".", "_" and "-", and
// it begins with a letter or a digit. It is part of keys, and shown in terminals.
func IsMember(name string) bool { return isWord(name, MaxName, "._-") }

// isWord reports whether s is ASCII letters and digits, and others after the first character.
func isWord(s string, longest int, others string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || strings.IndexByte(others, c) < 0) {
			return false
		}
	}
	return s != "" && len(s) <= longest
}

// A Key is a key that was read.
type Key struct {
	Kind   string // one of the constants, such as [Rows]
	Member string // of Members and Hosts
	Part   int    // of Members: 0 is the member's own key
	FP     FP     // of the others
}

// ParseKey reads a key below the fleet's prefix. A key of a later version is not ok.
func ParseKey(key string) (k Key, ok bool) {
	for _, kind := range [...]string{Rows, Claims, ModelSet, Limits, Refresh, Hosts, Members} {
		rest, is := strings.CutPrefix(key, kind)
		if !is {
			continue
		}
		k.Kind = kind
		switch kind {
		case Hosts:
			k.Member, ok = rest, IsMember(rest)
		case Members:
			k.Member, k.Part, ok = parsePart(rest)
		default:
			k.FP, ok = ParseFP(rest)
		}
		return k, ok
	}
	return Key{}, false
}

func parsePart(rest string) (member string, part int, ok bool) {
	member, number, more := strings.Cut(rest, "/")
	if more {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n >= MaxParts || strconv.Itoa(n) != number {
			return "", 0, false
		}
		part = n
	}
	return member, part, IsMember(member)
}

// PartKey is the key of one part of what a member lists.
func PartKey(member string, part int) string {
	if part == 0 {
		return Members + member
	}
	return Members + member + "/" + strconv.Itoa(part)
}
