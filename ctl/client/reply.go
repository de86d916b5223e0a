package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxHead bounds the first line and the headers together, in replies and in requests.
const maxHead = 16 << 10

// errProtocol marks a reply that is not what the control socket speaks.
var errProtocol = errors.New("not a reply of the control socket")

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errProtocol, fmt.Sprintf(format, args...))
}

// head is what precedes a reply's body.
type head struct {
	status  int
	phrase  string // beside the status, e.g. "Not Found"
	length  int64  // of the body; −1 if it is chunked
	kind    string // Content-Type
	stream  bool   // the body is NDJSON
	chunked bool
	// checksum is the CRC-32C of a file, in base64; empty if not sent.
	checksum string
}

// readHead reads a status line and headers. It accepts only what determines exactly where
// the body ends, and refuses everything else.
func readHead(r *bufio.Reader) (head, error) {
	left := maxHead
	line, err := readLine(r, &left)
	if err != nil {
		return head{}, err
	}
	h := head{length: -1}
	if h.status, h.phrase, err = parseStatusLine(line); err != nil {
		return head{}, err
	}
	for {
		line, err := readLine(r, &left)
		if err != nil {
			return head{}, err
		}
		if len(line) == 0 {
			break
		}
		if err := h.addHeader(line); err != nil {
			return head{}, err
		}
	}
	switch bodiless := h.status == 204 || h.status == 304; {
	case bodiless && (h.chunked || h.length > 0):
		return head{}, protocolError("status %d with a body", h.status)
	case bodiless:
		h.length = 0
	case h.chunked && h.length >= 0:
		return head{}, protocolError("a body both chunked and of a given length")
	case !h.chunked && h.length < 0:
		return head{}, protocolError("a body of unknown length")
	}
	return h, nil
}

// readLine reads a line without its CRLF, and subtracts its length from left. The line is
// valid until the next read.
func readLine(r *bufio.Reader, left *int) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	*left -= len(line)
	switch {
	case errors.Is(err, bufio.ErrBufferFull), *left < 0:
		return nil, protocolError("a head longer than %d bytes", maxHead)
	case errors.Is(err, io.EOF):
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return nil, protocolError("a line that does not end in CRLF")
	}
	return line, nil
}

func parseStatusLine(line []byte) (status int, phrase string, err error) {
	version, rest, _ := strings.Cut(string(line), " ")
	code, phrase, _ := strings.Cut(rest, " ")
	if version != "HTTP/1.1" || len(code) != 3 || !allDigits(code) {
		return 0, "", protocolError("status line %.40q", line)
	}
	status, err = strconv.Atoi(code)
	if err != nil || status < 200 || status > 599 {
		return 0, "", protocolError("status %s", code)
	}
	return status, phrase, nil
}

func (h *head) addHeader(line []byte) error {
	name, value, ok := strings.Cut(string(line), ":")
	if !ok || !isToken(name) || !isText(value) {
		return protocolError("header %.40q", line)
	}
	value = strings.Trim(value, " \t")
	switch strings.ToLower(name) {
	case "content-length":
		if h.length >= 0 {
			return protocolError("two lengths of one body")
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || !allDigits(value) {
			return protocolError("content-length %.40q", value)
		}
		h.length = n
	case "transfer-encoding":
		if h.chunked || !strings.EqualFold(value, "chunked") {
			return protocolError("transfer-encoding %.40q", value)
		}
		h.chunked = true
	case "content-encoding":
		return protocolError("content-encoding %.40q, which was not requested", value)
	case "content-type":
		h.kind = value
		h.stream = strings.HasPrefix(value, "application/x-ndjson")
	case "repr-digest":
		h.checksum = checksumOf(value)
	}
	return nil
}

// isToken reports whether s is a valid header name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !alphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isText reports whether s is a valid header value: it has no control characters except
// tabs.
func isText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// body returns a reader of the body that follows the head. It returns io.EOF only after a
// complete body.
func (h head) body(r *bufio.Reader) io.Reader {
	if h.chunked {
		return &chunked{r: r}
	}
	return &sized{r: r, left: h.length}
}

// sized reads a body of known length.
type sized struct {
	r    *bufio.Reader
	left int64
}

func (b *sized) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunked reads a body in chunks: a size in hexadecimal, that many bytes, and so on until
// the size 0. It refuses extensions and trailers, which the daemon does not send.
type chunked struct {
	r    *bufio.Reader
	left int64 // of the chunk being read
	err  error // sticky, io.EOF at the end
}

// maxSizeLine bounds the line with a chunk's size: 8 digits and CRLF.
const maxSizeLine = 10

func (b *chunked) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, b.err
	}
	if b.err == nil && b.left == 0 {
		b.err = b.next()
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err == nil && b.left == 0 {
		err = b.expectCRLF()
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	return n, err
}

// next reads the size of the next chunk; io.EOF means that there is none.
func (b *chunked) next() error {
	left := maxSizeLine
	line, err := readLine(b.r, &left)
	if err != nil {
		return err
	}
	size, err := strconv.ParseUint(string(line), 16, 32)
	if err != nil {
		return protocolError("chunk size %.40q", line)
	}
	if size == 0 {
		if err := b.expectCRLF(); err != nil {
			return err
		}
		return io.EOF
	}
	b.left = int64(size)
	return nil
}

func (b *chunked) expectCRLF() error {
	left := len("\r\n")
	line, err := readLine(b.r, &left)
	if err == nil && len(line) != 0 {
		err = protocolError("a chunk longer than its size, or a trailer")
	}
	return err
}
