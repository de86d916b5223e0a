// Package loose reads JSON as vendors write it: a member of another type than documented
// counts as missing, and the rest is read all the same. It imports the standard library
// only.
package loose

import (
	"encoding/json"
	"errors"
)

// Decode reads JSON into v as far as it fits. A field of another type is left empty,
// because vendors change types. It reports whether b is JSON at all and of v's kind (an
// object, an array).
func Decode(b []byte, v any) bool {
	err := json.Unmarshal(b, v)
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		return mistyped.Field != ""
	}
	return err == nil
}

// Word is the value of a JSON string, and "" for anything else.
func Word(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
