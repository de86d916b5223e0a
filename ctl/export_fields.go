package ctl

import (
	"bytes"
	"encoding/json"
)

// fields are those of an object, in the order in which they are written.
type fields []field

type field struct {
	name  string
	value any
}

// MarshalJSON implements [encoding/json.Marshaler].
func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(bareJSON(field.name))
		b.WriteByte(':')
		b.Write(bareJSON(field.value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// bareJSON is a value in JSON, without the escapes for HTML. There is no value here that
// JSON cannot express.
func bareJSON(value any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value)
	return bytes.TrimSpace(b.Bytes())
}

func indentedJSON(value any) []byte {
	var b bytes.Buffer
	_ = json.Indent(&b, bareJSON(value), "", "  ")
	return append(b.Bytes(), '\n')
}

func asYAML(value any) []byte {
	text, _ := yamlOf(bareJSON(value))
	return text
}
