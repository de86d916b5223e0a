package complaint

import (
	"slices"
	"strings"
)

// weighed is a text without what only names things: the addresses in it, which say
// where to read of what else may be wrong, and quoted names, such as a model's or a
// setting's, which may be called anything. The value of a member ('code': 'no_money')
// is no such name, and neither is a code that is known.
func weighed(s string) string {
	if !strings.ContainsAny(s, "\"'`") && !strings.Contains(s, "://") {
		return s
	}
	var kept strings.Builder
	for i := 0; i < len(s); {
		if end := addressEnd(s, i); end > i {
			i = end
			continue
		}
		if end := nameEnd(s, i); end > i && !isValue(s[:i]) && !isCode(s[i+1:end-1]) {
			kept.WriteString(s[i:i+1] + s[end-1:end])
			i = end
			continue
		}
		kept.WriteByte(s[i])
		i++
	}
	return kept.String()
}

// addressEnd is where an http address that begins at i ends; i when none does.
func addressEnd(s string, i int) int {
	if s[i] != 'h' || !strings.HasPrefix(s[i:], "http://") && !strings.HasPrefix(s[i:], "https://") {
		return i
	}
	end := strings.IndexAny(s[i:], " \t\r\n\"'`<>)]}，。")
	if end < 0 {
		return len(s)
	}
	return i + end
}

// longestName is how long a name in quotes may be.
const longestName = 128

// nameEnd is where a quoted word without a blank that begins at i ends; i when none
// does.
func nameEnd(s string, i int) int {
	if strings.IndexByte("\"'`", s[i]) < 0 || i > 0 && strings.IndexByte(" \t\r\n([,:=", s[i-1]) < 0 {
		return i
	}
	for end := i + 1; end < min(len(s), i+longestName); end++ {
		switch s[end] {
		case ' ', '\t', '\r', '\n':
			return i
		case s[i]:
			return end + 1
		}
	}
	return i
}

// isValue reports whether the name of a member stands before: 'code': or "code":.
func isValue(before string) bool {
	before, colon := strings.CutSuffix(strings.TrimRight(before, " "), ":")
	return colon && (strings.HasSuffix(before, "'") || strings.HasSuffix(before, `"`))
}

// isCode knows the codes of vendors, which some put into prose.
func isCode(name string) bool {
	name = strings.ToLower(name)
	return name == "invalid_api_key" || slices.Contains(quotaCodes, name) ||
		slices.Contains(deadKeyCodes, name) || slices.Contains(limitCodes, name)
}
