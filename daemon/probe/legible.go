package probe

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// gunzipped undoes a body's Content-Encoding if it is gzip or x-gzip, its older name (RFC
// 9110, section 8.4.1.3), applied once or more. It returns the name of an encoding that it
// does not undo, and io.EOF if the body is empty.
func gunzipped(body io.Reader, h http.Header) (plain io.Reader, zipped bool, rest string, err error) {
	said := h["Content-Encoding"]
	if len(said) == 0 { // most bodies
		return body, false, "", nil
	}
	codings := strings.Split(strings.Join(said, ","), ",")
	for i := len(codings) - 1; i >= 0; i-- {
		switch coding := strings.ToLower(strings.TrimSpace(codings[i])); coding {
		case "", "identity":
		case "gzip", "x-gzip":
			zip, err := gzip.NewReader(body)
			if err == io.EOF {
				return nil, false, "", io.EOF
			}
			if err != nil {
				return nil, false, "", fmt.Errorf("unzip: %w", err)
			}
			body, zipped = zip, true
		default:
			return body, zipped, coding, nil
		}
	}
	return body, zipped, "", nil
}

// bom is how some servers begin UTF-8 text. A decoder may ignore it
// (RFC 8259, section 8.1).
var bom = []byte("\xEF\xBB\xBF")

// illegible says why a body is not text that we can read; empty if it is, or may be.
func (a *answer) illegible() string {
	switch {
	case a.coding != "" && !json.Valid(a.body):
		return fmt.Sprintf("the body is in the Content-Encoding %s, which was not asked for", a.coding)
	case isWide(a.body):
		return "the body is UTF-16 or UTF-32, not UTF-8"
	}
	return ""
}

// isWide reports whether a text has more than one byte for each letter: by its first
// bytes or, without a byte order mark, by the zero beside the first letter.
func isWide(body []byte) bool {
	if len(body) < 2 {
		return false
	}
	return bytes.HasPrefix(body, []byte("\xFF\xFE")) || bytes.HasPrefix(body, []byte("\xFE\xFF")) ||
		(body[0] == 0) != (body[1] == 0) || bytes.HasPrefix(body, []byte("\x00\x00\xFE\xFF"))
}
