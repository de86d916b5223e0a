package complaint

import (
	"slices"
	"strings"
)

// weighed is a text without mere names: without addresses, which refer to pages about other
// errors too, and without quoted names, such as a model's or a setting's, which can be
// anything. The value of a member ('code': 'no_money') is not such a name, nor is a known
// code.
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

// addressEnd is where an http address that begins at i ends; i if none begins there.
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

// longestName is how long a quoted name may be.
const longestName = 128

// nameEnd is where a quoted word without blanks that begins at i ends; i if none begins
// there.
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

// isValue reports whether the name of a member comes before: 'code': or "code":.
func isValue(before string) bool {
	before, colon := strings.CutSuffix(strings.TrimRight(before, " "), ":")
	return colon && (strings.HasSuffix(before, "'") || strings.HasSuffix(before, `"`))
}

// isCode recognises vendors' codes, which some put into prose.
func isCode(name string) bool {
	name = strings.ToLower(name)
	return name == "invalid_api_key" || slices.Contains(quotaCodes, name) ||
		slices.Contains(deadKeyCodes, name) || slices.Contains(limitCodes, name)
}
