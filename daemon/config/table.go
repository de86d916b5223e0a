package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A table reads one table of the file by the names of its settings. Every setting that is asked
// for is known; what is left when done is called is a mistake.
type table struct {
	*reading
	node   *node
	values map[string]any
	asked  []string
}

func (t *table) has(key string) bool {
	t.asked = append(t.asked, key)
	_, ok := t.values[key]
	return ok
}

// at is the position of a setting's value, or of the table's header if there is none.
func (t *table) at(key string) span {
	if n := t.node.child(key); n != nil {
		return n.value
	}
	return t.header()
}

func (t *table) elem(key string, i int) span {
	if n := t.node.child(key).element(i); n != nil {
		return n.value
	}
	return t.at(key)
}

func (t *table) header() span {
	if t.node == nil {
		return nowhere
	}
	return t.node.key
}

// name is the position of a setting's name.
func (t *table) name(key string) span {
	if n := t.node.child(key); n != nil {
		return n.key
	}
	return t.header()
}

// get reads a setting of type T; example shows a valid one.
func get[T any](t *table, key, example string) (v T, ok bool) {
	if !t.has(key) {
		return v, false
	}
	v, ok = t.values[key].(T)
	if !ok {
		t.wrongType(t.at(key), key, t.values[key], v, example)
	}
	return v, ok
}

func (t *table) wrongType(at span, key string, got, want any, example string) {
	t.reject(at, flawf("write "+example, "%s must be %s, not %s", key, typeName(want), typeName(got)))
}

func (t *table) text(key, example string) (string, bool) { return get[string](t, key, example) }

// list reads an array whose elements are all of type T. It is not ok if it is absent or empty, or
// if an element is wrong.
func list[T any](t *table, key, example string) (out []T, ok bool) {
	return listOr[T](t, key, example, "leave it out, or write "+example)
}

// needed is list for a setting that cannot be left out.
func needed[T any](t *table, key, example string) (out []T, ok bool) {
	return listOr[T](t, key, example, "write "+example)
}

func listOr[T any](t *table, key, example, whenEmpty string) (out []T, ok bool) {
	elements, ok := get[[]any](t, key, example)
	for i, e := range elements {
		v, is := e.(T)
		if !is {
			t.wrongType(t.elem(key, i), "each element of "+key, e, v, example)
			ok = false
		}
		out = append(out, v)
	}
	if ok && len(out) == 0 {
		t.reject(t.at(key), flawf(whenEmpty, "%s is empty", key))
		return nil, false
	}
	return out, ok
}

// duration reads a length of time such as "1500ms"; 0 if absent or wrong.
func (t *table) duration(key string, least, most time.Duration, example string) time.Duration {
	if !t.has(key) {
		return 0
	}
	example = fmt.Sprintf("%s = %q", key, example)
	switch v := t.values[key].(type) {
	case int64, float64:
		t.reject(t.at(key), flawf("write "+example, "%s has no unit: it must be text with ns, us, ms, s, m or h", key))
	case string:
		d, f := parseDuration(key, v, least, most, example)
		if f != nil {
			t.reject(t.at(key), f)
			return 0
		}
		return d
	default:
		t.wrongType(t.at(key), key, v, "", example)
	}
	return 0
}

func parseDuration(key, text string, least, most time.Duration, example string) (time.Duration, *flaw) {
	d, err := time.ParseDuration(text)
	if err != nil {
		if _, noUnit := time.ParseDuration(text + "s"); noUnit == nil {
			return 0, flawf("write "+example, "%s is %s: the unit is missing", key, quote(text))
		}
		return 0, flawf("write "+example, "%s is %s: not a length of time", key, quote(text))
	}
	switch {
	case d < least:
		return 0, flawf("write "+example, "%s is %s: it must be at least %s", key, quote(text), showDuration(least))
	case d > most:
		return 0, flawf("write "+example, "%s is %s: it must be at most %s", key, quote(text), showDuration(most))
	}
	return d, nil
}

// count reads a whole number from 1 to most; 0 if absent or wrong.
func (t *table) count(key string, most int64, example string) int {
	n, ok := get[int64](t, key, example)
	if !ok {
		return 0
	}
	if n < 1 || n > most {
		t.reject(t.at(key), flawf("write "+example, "%s is %d: it must be from 1 to %d", key, n, most))
		return 0
	}
	return int(n)
}

// done rejects every setting that was not asked for.
func (t *table) done() {
	var unknown []string
	for key := range t.values {
		if !slices.Contains(t.asked, key) {
			unknown = append(unknown, key)
		}
	}
	slices.SortFunc(unknown, func(a, b string) int { return cmp.Compare(t.name(a).start, t.name(b).start) })
	for i, key := range unknown {
		if len(t.mistakes) == maxMistakes {
			t.more += len(unknown) - i
			return
		}
		t.reject(t.name(key), unknownSetting(key, t.asked))
	}
}

func unknownSetting(key string, known []string) *flaw {
	if slices.Contains(known, caFile) {
		if f := foreignTLS(key); f != nil {
			return f
		}
	}
	if slices.Contains(known, "api_key_file") && secretSetting.MatchString(key+"=") &&
		min(provider.TypingErrors(key, "api_key_env"), provider.TypingErrors(key, "api_key_file")) > 2 {
		return flawf(`write api_key_env = "NAME_OF_A_VARIABLE" or api_key_file = "/path/of/a/file"`,
			"unknown setting %s: this file never contains a key", quote(key))
	}
	return flawf(didYouMean(key, known), "unknown setting %s", quote(key))
}

func typeName(v any) string {
	switch v := v.(type) {
	case string:
		return "text"
	case int64:
		return "a whole number"
	case float64:
		return "a decimal number"
	case bool:
		return "true or false"
	case []any:
		if len(v) > 0 {
			if _, ok := v[0].(map[string]any); ok {
				return "a list of tables"
			}
		}
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
