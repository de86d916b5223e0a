package probe_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	numbers = regexp.MustCompile(`([:\[,]\s*)-?\d+(\.\d+)?`)
	texts   = regexp.MustCompile(`":\s*"[^"]*"`)
)

// withRows replaces the rows of the body's list with n copies of its first. A body without
// a list is unchanged.
func withRows(body string, n int, row func(first map[string]any) string) string {
	var whole any
	if json.Unmarshal([]byte(body), &whole) != nil {
		return body
	}
	const here = "the rows go here"
	first := takeRows(&whole, here)
	if first == nil {
		return body
	}
	shape, err := json.Marshal(whole)
	if err != nil {
		return body
	}
	one := row(first)
	return strings.Replace(string(shape), `"`+here+`"`, "["+strings.Repeat(one+",", n-1)+one+"]", 1)
}

// takeRows replaces the first list of objects in a JSON value with a mark, and returns its
// first object; nil if there is none.
func takeRows(v *any, mark string) map[string]any {
	switch of := (*v).(type) {
	case []any:
		if len(of) == 0 {
			return nil
		}
		if first, ok := of[0].(map[string]any); ok {
			*v = mark
			return first
		}
	case map[string]any:
		for _, name := range sortedKeys(of) {
			inner := of[name]
			if first := takeRows(&inner, mark); first != nil {
				of[name] = inner
				return first
			}
		}
	}
	return nil
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// shortRow keeps only the names of a row, so that very many still make a small body.
func shortRow(first map[string]any) string {
	short := map[string]any{}
	for _, name := range []string{"id", "name", "key", "state"} {
		if _, ok := first[name].(string); ok {
			short[name] = "m"
		}
	}
	b, _ := json.Marshal(short)
	return string(b)
}

func TestWithRows(t *testing.T) {
	name := func(first map[string]any) string { b, _ := json.Marshal(first["id"]); return string(b) }
	for body, want := range map[string]string{
		`[{"id":"a"},{"id":"b"}]`:             `["a","a"]`,
		`{"object":"list","data":[{"id":7}]}`: `{"data":[7,7],"object":"list"}`,
		`{"data":[]}`:                         `{"data":[]}`,
		`no`:                                  `no`,
	} {
		if got := withRows(body, 2, name); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd })
}
