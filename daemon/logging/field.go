package logging

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
)

// fields makes hclog's key-value pairs safe to encode.
func fields(name string, args []any) map[string]any {
	if name == "" && len(args) == 0 {
		return nil
	}
	m := make(map[string]any, len(args)/2+1)
	if name != "" {
		m["module"] = name
	}
	for len(args) > 0 && len(m) < maxFields {
		if len(args) == 1 { // as hclog.MissingKey in hclog's own output
			m[hclog.MissingKey] = field(args[0])
			break
		}
		key, ok := args[0].(string)
		if !ok {
			key = text(args[0])
		}
		m[clip(key)] = field(args[1])
		args = args[2:]
	}
	return m
}

// field keeps numbers and booleans, and makes text of everything else.
func field(v any) any {
	switch v.(type) {
	case nil:
		return nil
	case error, fmt.Stringer, hclog.Format:
		return text(v)
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Bool:
		return rv.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return rv.Uint()
	case reflect.Float32, reflect.Float64:
		if f := rv.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
	return text(v)
}

// text prints a value by its own method, if it has one. Composite values go through JSON,
// because fmt prints unexported fields without calling their methods, and would show a
// secret that masks itself.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return clip(v)
	case hclog.Format:
		if len(v) == 0 {
			return ""
		}
		format, ok := v[0].(string)
		if !ok {
			return text(v[0])
		}
		return clip(fmt.Sprintf(format, v[1:]...))
	case error, fmt.Stringer:
		return clip(fmt.Sprint(v)) // not v.String(), which may panic; fmt recovers
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Interface:
		return clip(asJSON(v))
	}
	return clip(fmt.Sprint(v))
}

// asJSON encodes a value, or names its type if it cannot be encoded.
func asJSON(v any) (s string) {
	defer func() {
		if recover() != nil { // a marshaller of v's own
			s = fmt.Sprintf("%T", v)
		}
	}()
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	return string(b)
}

// clip limits a text's length, and makes it valid UTF-8.
func clip(s string) string {
	if len(s) > maxText {
		cut := maxText
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
