package feed

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/providerd/providerd/store/provider"
)

// line makes a text from a feed one printable line of at most limit bytes. It reads only
// the beginning of a long text.
func line(s string, limit int) string {
	return provider.OneLine(s[:min(len(s), 8*limit)], limit)
}

// plain turns a document into UTF-8. It recognises UTF-16 by its byte order mark or by a
// zero byte at the beginning.
func plain(body []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case len(body) >= 2 && body[0] == 0xfe && body[1] == 0xff:
		order, body = binary.BigEndian, body[2:]
	case len(body) >= 2 && body[0] == 0xff && body[1] == 0xfe:
		order, body = binary.LittleEndian, body[2:]
	case len(body) >= 2 && body[0] == 0:
		order = binary.BigEndian
	case len(body) >= 2 && body[1] == 0:
		order = binary.LittleEndian
	default:
		return []byte(strings.TrimPrefix(string(body), "\ufeff")), nil
	}
	if len(body)%2 != 0 {
		return nil, errors.New("the UTF-16 ends within a character")
	}
	units := make([]uint16, len(body)/2)
	for i := range units {
		units[i] = order.Uint16(body[2*i:])
	}
	return []byte(string(utf16.Decode(units))), nil
}

// layouts are the formats of times in feeds. The last is that of JavaScript's Date, in
// Instatus; the one before, RSS with a bare Z, is Azure's.
var layouts = []string{
	time.RFC3339, time.RFC1123Z, time.RFC1123,
	"Mon, 02 Jan 2006 15:04:05 Z", "Mon Jan 02 2006 15:04:05 GMT-0700",
}

// moment reads a time; an invalid one is unknown.
func moment(s string) time.Time {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " (")
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return t.UTC()
		}
	}
	return time.Time{}
}
