package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/providerd/providerd/daemon/framing"
	"github.com/providerd/providerd/store/provider"
)

// maxBody is the largest request body, in bytes.
const maxBody = 64 << 10

// A body is the JSON object of a request. Its Content-Type does not matter, since curl
// calls everything it sends a form. An empty body, {} and null are the same as none.
type body struct {
	fields map[string]json.RawMessage // each is given once; null is the same as absent
	route  *route
}

// readBody reads the whole body. It does nothing if the route takes none.
func (s *Server) readBody(c *call) (body, *provider.Error) {
	raw, err := s.receive(c)
	if err != nil {
		return body{}, err
	}
	return parseBody(raw, c.route)
}

// receive reads the bytes of the body.
func (s *Server) receive(c *call) ([]byte, *provider.Error) {
	if c.r.ContentLength == 0 {
		return nil, nil
	}
	if how := c.r.Header.Get("Content-Encoding"); how != "" && !strings.EqualFold(how, "identity") {
		return nil, provider.Errorf(provider.BadRequest, "send it uncompressed, without Content-Encoding", "the body is compressed: %q", shorten(how))
	}
	if c.r.ContentLength > maxBody {
		return nil, c.route.tooLarge()
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var large *http.MaxBytesError
	var malformed *framing.Refusal
	switch {
	case errors.As(err, &malformed):
		return nil, provider.Errorf(provider.BadRequest, malformed.Reason.Hint, "read the body: %v", malformed)
	case errors.As(err, &large):
		return nil, c.route.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, provider.Errorf(provider.BadRequest, "send as many bytes as Content-Length says, at once", "the body did not arrive in full within %s", s.bodyTimeout)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, provider.Errorf(provider.BadRequest, "send as many bytes as Content-Length says", "the body is shorter than Content-Length")
	case err != nil:
		return nil, provider.Errorf(provider.BadRequest, c.route.example(), "read the body: %v", err)
	}
	c.conn.SetReadDeadline(time.Time{}) // otherwise net/http, which continues to read, would believe that the caller has gone
	return raw, nil
}

// tooLarge refuses a body because of its size.
func (rt *route) tooLarge() *provider.Error {
	hint := rt.example()
	if slices.Contains(rt.fields, "provider_id") {
		hint = "name fewer providers at a time, or leave provider_id out for all"
	}
	return provider.Errorf(provider.TooLarge, hint, "the body is larger than %d bytes", maxBody)
}

// example is a hint that shows what to send.
func (rt *route) example() string {
	switch {
	case rt.sends != "":
		return "send " + rt.sends
	case len(rt.params) > 0:
		return "send no body, and put these into the query: " + strings.Join(namesOf(rt.params), ", ")
	}
	return "send no body"
}

// form matches the beginning of a web form, which curl -d sends by default.
var form = regexp.MustCompile(`^([\w.%+\[\]-]+=|--[^\r\n]+\r?\nContent-Disposition: )`)

// parseBody is strict, like [parseQuery]: it refuses what it does not know or cannot read.
func parseBody(raw []byte, rt *route) (body, *provider.Error) {
	b := body{route: rt, fields: map[string]json.RawMessage{}}
	raw = bytes.Trim(bytes.TrimPrefix(raw, []byte("\ufeff")), " \t\r\n") // RFC 8259, sections 8.1 and 2
	if len(raw) == 0 || string(raw) == "null" {
		return b, nil
	}
	if rt.fields == nil && !emptyObject.Match(raw) {
		return b, b.wrong("this route takes no body")
	}
	if !utf8.Valid(raw) {
		return b, b.wrong("the body is not UTF-8")
	}
	var whole json.RawMessage
	err := json.Unmarshal(raw, &whole)
	var syntax *json.SyntaxError
	switch {
	case err == nil && raw[0] != '{':
		return b, b.wrong("the body is %s, not a JSON object", kindOf(raw))
	case err == nil:
		return b, b.take(raw)
	case form.Match(raw):
		return b, b.wrong("the body is a form, not JSON")
	case errors.As(err, &syntax):
		return b, b.wrong("the body is not JSON: %v, at byte %d", err, syntax.Offset)
	}
	return b, b.wrong("the body is not JSON: %v", err)
}

var emptyObject = regexp.MustCompile(`^\{[ \t\r\n]*\}$`)

// wrong is an error in the body, with what to send instead.
func (b *body) wrong(format string, args ...any) *provider.Error {
	return provider.Errorf(provider.BadRequest, b.route.example(), format, args...)
}

// take reads the fields of a valid object. It refuses a field that is given twice: programs
// differ in which of the two counts (RFC 8259, section 4).
func (b *body) take(object []byte) *provider.Error {
	dec := json.NewDecoder(bytes.NewReader(object))
	_, err := dec.Token() // {
	for err == nil && dec.More() {
		var key json.Token
		if key, err = dec.Token(); err != nil {
			break
		}
		name, _ := key.(string)
		switch {
		case !slices.Contains(b.route.fields, name):
			return unknownField(name, b.route)
		case b.fields[name] != nil:
			return b.wrong("%s is given twice", name)
		}
		var value json.RawMessage
		err = dec.Decode(&value)
		b.fields[name] = value
	}
	if err != nil {
		return b.wrong("the body is not JSON: %v", err)
	}
	return nil
}

// given reports whether the body gives a field.
func (b *body) given(name string) bool {
	value := b.fields[name]
	return value != nil && string(value) != "null"
}

// read decodes a given field into v; want says what it must be.
func (b *body) read(name, want string, v any) *provider.Error {
	if !b.given(name) {
		return nil
	}
	if err := json.Unmarshal(b.fields[name], v); err != nil {
		return b.wrong("%s is %s, not %s", name, kindOf(b.fields[name]), want)
	}
	return nil
}

// ids reads the field that names one or several providers. Nil means that it names none,
// and so all of them.
func (b *body) ids(name string) ([]string, *provider.Error) {
	var ids []string
	switch value := b.fields[name]; {
	case !b.given(name):
		return nil, nil
	case value[0] != '[':
		ids = make([]string, 1)
		if err := b.read(name, "text or a list", &ids[0]); err != nil {
			return nil, err
		}
	default:
		var list []*string // nil: null
		if err := json.Unmarshal(value, &list); err != nil || slices.Contains(list, nil) {
			return nil, b.wrong("%s is a list whose values are not all text", name)
		}
		if len(list) == 0 { // "all" would be the opposite of what it says
			return nil, provider.Errorf(provider.BadRequest, "name a provider, or leave it out for all providers", "%s is an empty list", name)
		}
		for _, id := range list {
			ids = append(ids, *id)
		}
	}
	if slices.Contains(ids, "") {
		return nil, emptyID(name)
	}
	return ids, nil
}

// kindOf is what a JSON value is, in words.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "the number " + shorten(string(value))
}
