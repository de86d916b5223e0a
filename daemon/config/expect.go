package config

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// expect reads the conditions. The kind's Check decides whether the paths of expect_json are
// valid JSONPath.
func (t *table) expect() Expect {
	return Expect{
		Status: t.expectStatus(),
		Body:   t.expectPattern("expect_body", `expect_body = "ready|ok"`),
		JSON:   t.expectJSON(),
		Days:   t.count("expect_days", 825, "expect_days = 14"),
		Answer: t.expectPattern("expect_answer", `expect_answer = "^192[.]0[.]2[.]"`),
	}
}

func (t *table) expectStatus() []int {
	const example = "expect_status = [200, 204]"
	codes, ok := list[int64](t, "expect_status", example)
	if !ok {
		return nil
	}
	out := make([]int, 0, len(codes))
	for i, code := range codes {
		switch {
		case code < 100 || code > 599:
			t.reject(t.elem("expect_status", i), flawf("write "+example, "%d is not an HTTP status: it must be from 100 to 599", code))
		case slices.Contains(out, int(code)):
			t.reject(t.elem("expect_status", i), flawf("leave one out", "status %d is named twice", code))
		default:
			out = append(out, int(code))
		}
	}
	return out
}

func (t *table) expectPattern(key, example string) string {
	pattern, ok := t.text(key, example)
	switch {
	case !ok:
		return ""
	case pattern == "":
		t.reject(t.at(key), flawf("leave it out, or write "+example, "%s is empty", key))
		return ""
	}
	if _, err := regexp.Compile(pattern); err != nil {
		message := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		t.reject(t.at(key), flawf("single quotes keep backslashes: "+key+" = '\\d+'",
			"%s is not a regular expression: %s", key, maskSecrets(printable(message))))
		return ""
	}
	return pattern
}

func (t *table) expectJSON() map[string]any {
	const example = `expect_json = { "$.status" = "ok" }`
	values, ok := get[map[string]any](t, "expect_json", example)
	if !ok {
		return nil
	}
	if len(values) == 0 {
		t.reject(t.at("expect_json"), flawf("leave it out, or write "+example, "expect_json is empty"))
		return nil
	}
	inner := &table{reading: t.reading, node: t.node.child("expect_json"), values: values}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		if !strings.HasPrefix(path, "$") {
			t.reject(inner.name(path), flawf("write "+example, "%s is not a JSONPath: it must start with $", quote(path)))
			continue
		}
		switch v := values[path].(type) {
		case string, int64, bool:
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.reject(inner.at(path), flawf("write a number", "JSON has no such number"))
			}
		default:
			t.reject(inner.at(path), flawf("write "+example, "the value must be text, a number, true or false, not %s", typeName(v)))
		}
	}
	return values
}
