package framing

import (
	"bytes"
	"math"
	"net/http"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// A Refusal is why a request, and with it the connection, is read no further.
type Refusal struct {
	Status int             // of HTTP
	Reason *provider.Error // what the client is told
}

func (r *Refusal) Error() string { return r.Reason.Message }

// Unwrap lets a handler say why its body ends early.
func (r *Refusal) Unwrap() error { return r.Reason }

func refuse(status int, code provider.Code, hint, format string, args ...any) *Refusal {
	return &Refusal{status, provider.Errorf(code, hint, format, args...)}
}

// malformed refuses what is not HTTP according to RFC 9112.
func malformed(hint, format string, args ...any) *Refusal {
	return refuse(http.StatusBadRequest, provider.BadRequest, hint, "malformed request: "+format, args...)
}

// maxHead is the maximum size of a request's line and headers, in bytes.
const maxHead = 16 << 10

func tooLong() *Refusal {
	return refuse(http.StatusRequestHeaderFieldsTooLarge, provider.TooLarge, "send fewer and shorter headers; ids may be in the body instead of the URL",
		"the request's line and headers are larger than %d bytes", maxHead)
}

// A head is what a request's line and headers say about where the request ends.
type head struct {
	begun   bool // the request's line has been read
	old     bool // HTTP/1.0
	host    bool
	sized   bool // there is a Content-Length
	chunked bool
	length  int64
}

// add takes in the next line, without its end. It is not empty.
func (h *head) add(line []byte) *Refusal {
	if !h.begun {
		h.begun = true
		return h.requestLine(line)
	}
	return h.field(line)
}

// end checks what can be judged only after the whole head.
func (h *head) end() *Refusal {
	switch {
	case !h.begun:
		return malformed("start with the method", "an empty line before the request")
	case h.sized && h.chunked:
		return malformed("send one of them", "both Content-Length and Transfer-Encoding")
	case h.old && h.chunked:
		return malformed("use HTTP/1.1", "Transfer-Encoding in HTTP/1.0")
	case !h.old && !h.host:
		return malformed("send one: Host: localhost", "there is no Host header")
	}
	return nil
}

// requestLine reads a method, a target and a version, with one space between them.
func (h *head) requestLine(line []byte) *Refusal {
	const form = "send a line such as: GET /api/providers/status HTTP/1.1"
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, ok := bytes.Cut(rest, []byte(" "))
	switch {
	case !isToken(method), !ok, bytes.IndexByte(version, ' ') >= 0, bytes.IndexByte(rest, '\t') >= 0:
		return malformed(form, "request line %.60q", line)
	case string(version) == "HTTP/1.0":
		h.old = true
	case string(version) == "HTTP/1.1":
	case len(version) == len("HTTP/2.0") && bytes.HasPrefix(version, []byte("HTTP/")) && version[6] == '.' && isDigit(version[5]) && isDigit(version[7]):
		return refuse(http.StatusHTTPVersionNotSupported, provider.BadRequest, "use HTTP/1.1", "%s is not supported", version)
	default:
		return malformed(form, "version %.20q", version)
	}
	return checkTarget(target)
}

// checkTarget accepts a path with an optional query, the origin form of RFC 9112, section
// 3.2.1. The other forms are for proxies. The handler checks the query.
func checkTarget(target []byte) *Refusal {
	if len(target) == 0 || target[0] != '/' {
		return malformed("send a path such as /api/providers/status", "the request target %.60q is not a path", target)
	}
	if bytes.IndexByte(target, '#') >= 0 {
		return malformed("write it as %23", "the request target has a #")
	}
	path, _, _ := bytes.Cut(target, []byte("?"))
	for i := bytes.IndexByte(path, '%'); i >= 0; i = bytes.IndexByte(path, '%') {
		if path = path[i+1:]; len(path) < 2 || !isHex(path[0]) || !isHex(path[1]) {
			return malformed("write a percent sign as %25", "a percent sign without two hexadecimal digits in the path")
		}
	}
	return nil
}

// field reads one header.
func (h *head) field(line []byte) *Refusal {
	if line[0] == ' ' || line[0] == '\t' {
		return malformed("write each header on one line", "a folded header")
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !isToken(name) {
		return malformed("write NAME: VALUE, without a space before the colon", "header %.60q", line)
	}
	value = bytes.Trim(value, " \t")
	switch {
	case is(name, "host"):
		return h.hostField(value)
	case is(name, "content-length"):
		return h.lengthField(value)
	case is(name, "transfer-encoding"):
		return h.encodingField(value)
	case is(name, "expect") && !is(value, "100-continue"):
		return refuse(http.StatusExpectationFailed, provider.BadRequest, "leave the header out", "the expectation %.60q cannot be met", value)
	}
	return nil
}

func (h *head) hostField(value []byte) *Refusal {
	switch {
	case h.host:
		return malformed("send one", "more than one Host header")
	case !isHost(value):
		return malformed("send: Host: localhost", "the host %.60q", value)
	}
	h.host = true
	return nil
}

func (h *head) lengthField(value []byte) *Refusal {
	if h.sized {
		return malformed("send one", "more than one Content-Length")
	}
	h.sized = true
	for _, c := range value {
		if !isDigit(c) || h.length > (math.MaxInt64-9)/10 {
			return malformed("send the number of bytes in decimal digits", "the Content-Length %.40q", value)
		}
		h.length = h.length*10 + int64(c-'0')
	}
	if len(value) == 0 {
		return malformed("send the number of bytes in decimal digits", "an empty Content-Length")
	}
	return nil
}

// encodingField accepts only a single chunked: programs differ about lists of encodings
// and about repeated ones.
func (h *head) encodingField(value []byte) *Refusal {
	if h.chunked || !is(value, "chunked") {
		return refuse(http.StatusNotImplemented, provider.BadRequest, "send a Content-Length, or: Transfer-Encoding: chunked",
			"the transfer encoding %.40q is unknown, or not the only one", value)
	}
	h.chunked = true
	return nil
}

// chunkSize reads the line before a chunk. Extensions, which nobody needs, are refused.
func chunkSize(line []byte) (size int64, bad *Refusal) {
	const most = 8 // digits
	const form = "send the size in hexadecimal digits, with nothing after it"
	if len(line) == 0 || len(line) > most {
		return 0, malformed(form, "chunk size %.40q", line)
	}
	for _, c := range line {
		switch {
		case isDigit(c):
			size = size<<4 | int64(c-'0')
		case isHex(c):
			size = size<<4 | int64(c|0x20-'a'+10)
		default:
			return 0, malformed(form, "chunk size %.40q", line)
		}
	}
	return size, nil
}

// isHost reports whether v may be a Host header's value (RFC 3986, section 3.2): a
// name or address, and perhaps a port.
func isHost(v []byte) bool {
	name, port := v, []byte(nil)
	if len(v) > 0 && v[0] == '[' {
		end := bytes.IndexByte(v, ']')
		if end < 0 || end+1 < len(v) && v[end+1] != ':' {
			return false
		}
		name, port = v[1:end], v[min(end+2, len(v)):]
		for _, c := range name {
			if !isHex(c) && c != ':' && c != '.' {
				return false
			}
		}
	} else {
		name, port, _ = bytes.Cut(v, []byte(":"))
		for _, c := range name {
			if !isAlphanumeric(c) && strings.IndexByte("-._~%!$&'()*+,;=", c) < 0 {
				return false
			}
		}
	}
	for _, c := range port {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// is reports whether s is want, which is in lower case, in any case.
func is(s []byte, want string) bool {
	if len(s) != len(want) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// isToken reports whether s may be a method or a header's name (RFC 9110, section
// 5.6.2).
func isToken(s []byte) bool {
	for _, c := range s {
		if !isAlphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return len(s) > 0
}

func isAlphanumeric(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool        { return '0' <= c && c <= '9' }
func isHex(c byte) bool          { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
