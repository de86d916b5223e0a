// Package loose reads JSON as vendors write it: a member of another type than its
// documentation says is taken for one that is not there, and the rest is read all the same.
// It imports the standard library only.
package loose

import (
	"encoding/json"
	"errors"
)

// Decode reads JSON into v, as far as it fits: a field of another type is left empty, because
// vendors change those. It reports whether b is JSON at all and v's kind of value (an object,
// an array).
func Decode(b []byte, v any) bool {
	err := json.Unmarshal(b, v)
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		return mistyped.Field != ""
	}
	return err == nil
}

// Word is a JSON string's value, and "" for anything else.
func Word(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
