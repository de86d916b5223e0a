package ctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/providerd/providerd/store/provider"
)

// yamlOf writes a JSON text as YAML, in block style and in the same order. A string stays
// a string for readers of YAML 1.2, and of 1.1, which take no for false and 12:30 for a
// number; only strings that are safe for both are left without quotes. A library for this
// would be most of the program.
func yamlOf(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	w := &yamlWriter{in: d}
	if err := w.value("", "\n"); err != nil {
		return nil, fmt.Errorf("reading the reply: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("reading the reply: more than one JSON text")
	}
	return bytes.TrimPrefix(w.out.Bytes(), []byte("\n")), nil
}

type yamlWriter struct {
	in  *json.Decoder
	out bytes.Buffer
}

// value writes the next value. An object or a list with parts is on lines of its own with
// that indent, the first of which begins with lead; any other value is on the current line.
func (w *yamlWriter) value(indent, lead string) error {
	token, err := w.in.Token()
	if err != nil {
		return err
	}
	begin, ok := token.(json.Delim)
	if !ok {
		w.out.WriteString(" " + yamlScalar(token) + "\n")
		return nil
	}
	if !w.in.More() {
		w.out.WriteString(map[json.Delim]string{'{': " {}\n", '[': " []\n"}[begin])
		_, err = w.in.Token()
		return err
	}
	w.out.WriteString(lead)
	for first := true; w.in.More(); first = false {
		if !first || lead == "\n" {
			w.out.WriteString(indent)
		}
		if begin == '[' {
			w.out.WriteByte('-')
			err = w.value(indent+"  ", " ")
		} else {
			err = w.member(indent)
		}
		if err != nil {
			return err
		}
	}
	_, err = w.in.Token() // the end
	return err
}

// member writes a name and its value.
func (w *yamlWriter) member(indent string) error {
	name, err := w.in.Token()
	if err != nil {
		return err
	}
	w.out.WriteString(yamlScalar(name) + ":")
	return w.value(indent+"  ", "\n")
}

// yamlScalar is a scalar value.
func yamlScalar(token json.Token) string {
	switch v := token.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return yamlNumber(v.String())
	case string:
		if yamlPlain(v) {
			return v
		}
		return provider.Quoted(v)
	}
	return fmt.Sprint(token)
}

// yamlNumber gives a number with an exponent a point and a sign, without which YAML 1.1
// takes it for a string.
func yamlNumber(n string) string {
	at := strings.IndexAny(n, "eE")
	if at < 0 {
		return n
	}
	mantissa, exponent := n[:at], n[at+1:]
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return mantissa + "e" + exponent
}

// yamlPlain reports whether a string is read as the same string without quotes. If in
// doubt, it reports false: digits, dots and signs can begin a number or a date.
func yamlPlain(s string) bool {
	switch {
	case s == "" || !strings.ContainsRune("/abcdefghijklmnopqrstuvwxyz", unicode.ToLower(rune(s[0]))):
		return false
	case strings.HasSuffix(s, ":") || strings.HasSuffix(s, " ") || strings.Contains(s, ": ") || strings.Contains(s, " #"):
		return false
	case strings.ContainsFunc(s, func(r rune) bool { return !provider.Shows(r) }):
		return false
	}
	return !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s))
}
