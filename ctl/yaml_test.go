package ctl

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func TestYAML(t *testing.T) {
	const text = `{"ts":"2026-01-02T03:04:05.000Z","seq":12,"none":null,"empty":{},"list":[],"providers":[{"id":"no","kind":"ollama",
"detail":"dial 127.0.0.1:1: refused","url":"http://h:1/v1","stale":false,"ratio":1e-7,"loaded":["qwen3:8b","0x1f","it's # odd"],
"deep":[[1,[]],[{}]],"incident":{"name":"Déjà vu: \"again\""}},{"id":"b"}]}`
	const want = `ts: "2026-01-02T03:04:05.000Z"
seq: 12
none: null
empty: {}
list: []
providers:
  - id: "no"
    kind: ollama
    detail: "dial 127.0.0.1:1: refused"
    url: http://h:1/v1
    stale: false
    ratio: 1.0e-7
    loaded:
      - qwen3:8b
      - "0x1f"
      - "it's # odd"
    deep:
      - - 1
        - []
      - - {}
    incident:
      name: "Déjà vu: \"again\""
  - id: b
`
	got, err := yamlOf([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestYAML_RefusesWhatIsNoJSON(t *testing.T) {
	for _, text := range []string{"", "{", `{"a":`, "{} {}", "<html>", `[1,`} {
		if got, err := yamlOf([]byte(text)); err == nil {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// odd are strings that some reader of YAML takes for something else without quotes.
var odd = strings.Split("~ - ? : , [ ] { } # & * ! | > ' \" % @ ` null Null NULL true TRUE False yes Yes no NO on Off y N .inf -.inf .NaN . _ "+
	"0 1 -1 +1 1.5 1e3 1e+3 0x1f 0o17 017 0b11 1_000 12:30 12:30:45 1.2.3 2026-01-02 2026-01-02T03:04:05Z << = --- ... a: a:b :a a:: %TAG !tag &a *a", " ")

// Readers of YAML 1.1 and of 1.2 read whatever is written as the same value.
func TestYAML_IsReadAsTheSame(t *testing.T) {
	texts := rapid.OneOf(rapid.SampledFrom(odd), rapid.String(), rapid.StringMatching(`[a-z :#\-"'\n\t]{0,12}`),
		rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom(odd).Draw(t, "a") + " " + rapid.SampledFrom(odd).Draw(t, "b")
		}))
	var values func(depth int) *rapid.Generator[any]
	values = func(depth int) *rapid.Generator[any] {
		plain := []*rapid.Generator[any]{texts.AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil), rapid.IntRange(-1<<40, 1<<40).AsAny(),
			rapid.Float64Range(-math.MaxFloat32, math.MaxFloat32).AsAny()}
		if depth == 0 {
			return rapid.OneOf(plain...)
		}
		return rapid.OneOf(append(plain, rapid.SliceOfN(values(depth-1), 0, 3).AsAny(), rapid.MapOfN(texts, values(depth-1), 0, 3).AsAny())...)
	}
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(rapid.MapOfN(texts, values(3), 0, 4).Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		written, err := yamlOf(text)
		if err != nil {
			t.Fatal(err)
		}
		var two, three any
		if err := yaml2.Unmarshal(written, &two); err != nil {
			t.Fatalf("1.1: %v\n%s", err, written)
		}
		if err := yaml3.Unmarshal(written, &three); err != nil {
			t.Fatalf("1.2: %v\n%s", err, written)
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]any{"1.1": two, "1.2": three} {
			if diff := cmp.Diff(want, asJSON(got)); diff != "" {
				t.Fatalf("%s: %s\n%s", name, diff, written)
			}
		}
	})
}

// asJSON is what a reader of YAML makes of a value, with the types that one of JSON has.
func asJSON(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := map[string]any{}
		for name, value := range v {
			text, ok := name.(string)
			if !ok { // which no name of JSON is
				return v
			}
			m[text] = asJSON(value)
		}
		return m
	case map[string]any:
		for name, value := range v {
			v[name] = asJSON(value)
		}
	case []any:
		for i, value := range v {
			v[i] = asJSON(value)
		}
	case int:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return v
}
