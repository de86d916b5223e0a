package feed

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// line makes text from a feed one printable line of at most limit bytes, which
// ends in … where it was cut.
func line(s string, limit int) string {
	if window := 8 * limit; len(s) > window {
		s = s[:window]
	}
	var b strings.Builder
	blank := false
	for _, r := range s {
		if r == utf8.RuneError || !strconv.IsPrint(r) || r == ' ' {
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	out := b.String()
	if len(out) <= limit {
		return out
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(out[cut]) {
		cut--
	}
	return out[:cut] + "…"
}

// plain turns a document into UTF-8. One that says with a mark that it is UTF-16,
// or has a zero byte where only that has one, is that.
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

// layouts are the times that feeds have. The last is what JavaScript's Date says,
// as Instatus has it; the one before, RSS with a bare Z, is Azure's.
var layouts = []string{
	time.RFC3339, time.RFC1123Z, time.RFC1123,
	"Mon, 02 Jan 2006 15:04:05 Z", "Mon Jan 02 2006 15:04:05 GMT-0700",
}

// moment reads a time; one that cannot be read is not known.
func moment(s string) time.Time {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " (")
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return t.UTC()
		}
	}
	return time.Time{}
}
