package probe_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
)

// A speller writes texts in all the ways that a server, a gateway or a hostile peer
// may write them.
type speller struct{ *rand.Rand }

// characterSpellings are the escapes for one character of ASCII.
var characterSpellings = []func(c byte) string{
	func(c byte) string { return string(rune(c)) },
	func(c byte) string { return fmt.Sprintf(`\u%04x`, c) },
	func(c byte) string { return fmt.Sprintf(`\u%04X`, c) },
	func(c byte) string { return fmt.Sprintf(`\u{%x}`, c) },
	func(c byte) string { return fmt.Sprintf(`\U%08x`, c) },
	func(c byte) string { return fmt.Sprintf(`\x%02x`, c) },
	func(c byte) string { return fmt.Sprintf(`\x{%x}`, c) },
	func(c byte) string { return fmt.Sprintf(`\o{%o}`, c) },
	func(c byte) string { return fmt.Sprintf(`\%03o`, c) },
	func(c byte) string { return fmt.Sprintf(`%%%02x`, c) },
	func(c byte) string { return fmt.Sprintf(`%%%02X`, c) },
	func(c byte) string { return fmt.Sprintf(`%%u%04x`, c) },
	func(c byte) string { return fmt.Sprintf(`&#%d;`, c) },
	func(c byte) string { return fmt.Sprintf(`&#%06d;`, c) },
	func(c byte) string { return fmt.Sprintf(`&#x%x;`, c) },
	func(c byte) string { return fmt.Sprintf(`&#X%X;`, c) },
	func(c byte) string { return fmt.Sprintf(`=%02X`, c) },
	func(c byte) string {
		if name := map[byte]string{'+': "&plus;", '/': "&sol;", '=': "&equals;", '&': "&amp;", '_': "&lowbar;", '%': "&percnt;", '<': "&lt", '.': "&period;", '"': "&quot;"}[c]; name != "" {
			return name
		}
		return string(rune(c))
	},
	func(c byte) string {
		if strings.IndexByte(`/"\'+&.`, c) >= 0 {
			return `\` + string(rune(c))
		}
		return string(rune(c))
	},
}

// between is what a server can put between two characters so that it is invisible, or only
// a gap.
var between = []string{"\n", "\r\n", "\t", " ", "\x00", "\u200b", "\u00ad", "\ufeff", "\u034f", "\u2060", "\u200d"}

// spell writes s in one way, or in several on top of each other.
func (w speller) spell(s string) string {
	for range 1 + w.IntN(2) {
		s = w.once(s)
	}
	return s
}

func (w speller) once(s string) string {
	switch w.IntN(13) {
	case 0:
		return s
	case 1:
		return string(must(json.Marshal(s)))
	case 2:
		return w.escaped(s, characterSpellings[w.IntN(len(characterSpellings))])
	case 3: // few are escaped
		return w.eachByte(s, func(c byte) string {
			if w.IntN(6) > 0 {
				return string(rune(c))
			}
			return characterSpellings[w.IntN(len(characterSpellings))](c)
		})
	case 4: // each in another way
		return w.eachByte(s, func(c byte) string { return characterSpellings[w.IntN(len(characterSpellings))](c) })
	case 5:
		encodings := []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding}
		return w.wrapped(encodings[w.IntN(4)].EncodeToString([]byte("user:pass"[:w.IntN(9)] + s + "trailer"[:w.IntN(7)])))
	case 6:
		return w.wrapped(hex.EncodeToString([]byte(s)))
	case 7:
		return strings.ToLower(s)
	case 8:
		gap := between[w.IntN(len(between))]
		return w.eachByte(s, func(c byte) string { return string(rune(c)) + gap })
	case 9:
		return w.wrapped(s)
	case 10:
		return html.EscapeString(s)
	case 11:
		return w.wrapped([]func([]byte) string{base64.StdEncoding.EncodeToString, hex.EncodeToString}[w.IntN(2)](w.inUTF16(s)))
	default:
		return strconv.Quote(s)
	}
}

// inUTF16 is s in either byte order.
func (w speller) inUTF16(s string) []byte {
	order := []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}[w.IntN(2)]
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, unit)
	}
	return b
}

// escaped escapes everything except letters and digits or, at times, everything.
func (w speller) escaped(s string, escape func(byte) string) string {
	all := w.IntN(2) == 0
	return w.eachByte(s, func(c byte) string {
		if all || !isAlphanumeric(rune(c)) {
			return escape(c)
		}
		return string(rune(c))
	})
}

// eachByte leaves non-ASCII characters alone: they are gaps that were inserted before.
func (w speller) eachByte(s string, f func(byte) string) string {
	var b strings.Builder
	for _, c := range s {
		if c < 0x80 {
			b.WriteString(f(byte(c)))
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// wrapped breaks lines, at times.
func (w speller) wrapped(s string) string {
	if w.IntN(2) == 0 {
		return s
	}
	width := 1 + w.IntN(len(s)+1)
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + []string{"\n", "\r\n", "\r\n ", "=\r\n", "\\\n"}[w.IntN(5)])
		s = s[width:]
	}
	return b.String() + s
}

// text is a text that may contain a secret.
func (w speller) text(most int) string {
	var b strings.Builder
	for range w.IntN(most + 1) {
		const usual = "abcdefghijklmnopqrstuvwxyz          .,:;\"{}[]<>-_/=+&%\\#0123456789"
		b.WriteByte(usual[w.IntN(len(usual))])
	}
	return b.String()
}

func isAlphanumeric(c rune) bool { return c < 0x80 && (unicode.IsLetter(c) || unicode.IsDigit(c)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The readers below are independent of the product's.

var (
	unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\u\{([0-9A-Fa-f]+)\}|%u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\x\{([0-9A-Fa-f]+)\}`)
	octalEscape   = regexp.MustCompile(`\\([0-3][0-7]{2})|\\o\{([0-7]+)\}`)
	percentEscape = regexp.MustCompile(`%([0-9A-Fa-f]{2})`)
	quotedEscape  = regexp.MustCompile(`=([0-9A-Fa-f]{2})`)
	signEscape    = regexp.MustCompile(`\\([^A-Za-z0-9])`)
	entityEscape  = regexp.MustCompile(`&(#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z]+);?`)
	anyEscape     = regexp.MustCompile(strings.Join([]string{unicodeEscape.String(), octalEscape.String(), percentEscape.String(), quotedEscape.String(), signEscape.String(), entityEscape.String()}, "|"))
	base64Run     = regexp.MustCompile(`[A-Za-z0-9+/_-]{11,}`)
	hexRun        = regexp.MustCompile(`[0-9A-Fa-f]{16,}`)
	textRun       = regexp.MustCompile(`[ -~]{8,}`)
	softBreak     = regexp.MustCompile(`[=\\]\s+`)
)

// undo is what one escape stands for.
func undo(escape string) string {
	code := func(digits string, base int) string {
		n, err := strconv.ParseInt(digits, base, 32)
		if err != nil {
			return escape
		}
		return string(rune(n))
	}
	switch {
	case entityEscape.MatchString(escape) && escape[0] == '&':
		return html.UnescapeString(escape)
	case unicodeEscape.FindString(escape) == escape:
		return code(strings.Join(unicodeEscape.FindStringSubmatch(escape)[1:], ""), 16)
	case octalEscape.FindString(escape) == escape:
		return code(strings.Trim(escape, `\o{}`), 8)
	case escape[0] == '%' || escape[0] == '=':
		return code(escape[1:], 16)
	}
	return escape[1:]
}

// readings are the possible readings of a text, one step further.
func readings(text string, coded bool) (all []string) {
	for _, re := range []*regexp.Regexp{unicodeEscape, octalEscape, percentEscape, quotedEscape, signEscape, entityEscape, anyEscape} {
		all = append(all, re.ReplaceAllStringFunc(text, undo))
	}
	all = append(all, softBreak.ReplaceAllString(text, ""), unseen(text))
	if !coded {
		return all
	}
	for _, run := range append(base64Run.FindAllString(text, -1), base64Run.FindAllString(unseen(text), -1)...) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for skip := range 4 {
			whole := run[skip:]
			if len(whole)%4 == 1 {
				whole = whole[:len(whole)-1]
			}
			if decoded, err := base64.RawStdEncoding.DecodeString(whole); err == nil {
				all = append(all, textsIn(decoded)...)
			}
		}
	}
	for _, run := range append(hexRun.FindAllString(text, -1), hexRun.FindAllString(unseen(text), -1)...) {
		for skip := range 2 {
			even := run[skip : skip+(len(run)-skip)/2*2]
			all = append(all, textsIn(must(hex.DecodeString(even)))...)
		}
	}
	return all
}

// textsIn are the texts among octets. They may be in UTF-16, and have line breaks.
func textsIn(octets []byte) []string {
	together := strings.NewReplacer("\x00", "", "\t", "", "\r", "", "\n", "").Replace(string(octets))
	return textRun.FindAllString(together, -1)
}

// unseen drops blanks and characters without width.
func unseen(text string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || strings.ContainsRune("\u200b\u00ad\ufeff\u034f\u2060\u200d\u00a0\x7f\ufffd", c) {
			return -1
		}
		return c
	}, text)
}

// noRun fails if any 8 characters of the secret can be read in a text.
func noRun(t *testing.T, text, secret string) {
	t.Helper()
	const run = 8
	secret = strings.ToLower(unseen(secret))
	runs := map[string]bool{}
	for i := 0; i+run <= len(secret); i++ {
		runs[secret[i:i+run]] = true
	}
	known := map[string]bool{text: true}
	now := []string{text}
	for depth := range 5 {
		var next []string
		for _, reading := range now {
			seen := strings.ToLower(unseen(reading))
			for i := 0; i+run <= len(seen); i++ {
				if runs[seen[i:i+run]] {
					t.Fatalf("%q of the secret %q can be read in %q, as %q", seen[i:i+run], secret, text, reading)
				}
			}
			for _, r := range readings(reading, depth < 2) {
				if !known[r] {
					known[r] = true
					next = append(next, r)
				}
			}
		}
		now = next
	}
}
