// Package spelling finds secrets in a text from outside, however they are spelled: escaped
// as in JSON, C, URLs, HTML or quoted-printable, in base64 or hex, in any mixture and more
// than once, or in parts.
//
// quicklook.go clears nearly all texts in one pass. The others are read with care:
// escape.go reads an escape character by character, lattice.go lays out all possible
// readings of a text, basecode.go decodes base64 and hex, and finder.go finds the secrets
// in them. The work is bounded: a text that would take more is not shown at all.
//
// It imports the standard library and store/provider.
package spelling

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"slices"
	"strings"
	"unicode"

	"github.com/providerd/providerd/store/provider"
)

// Masked takes the place of a secret.
const Masked = "***"

const (
	// runLength is how many characters of a secret in a row are as secret as the whole.
	// They fit into a machine word.
	runLength = 8
	// maxCoded is how deep base64 and hex may be nested in each other.
	maxCoded = 2
	// minEncoded is how long a secret must be for its own base64 and hex to be searched
	// for, and not only those of a longer text.
	minEncoded = 4
)

// Secrets finds secrets in a text, however they are spelled. It finds
//
//   - of a secret of [runLength] characters or more: any run of that many of them, in
//     upper or lower case, with blanks and invisible characters in between;
//   - of a shorter one: the whole, as it is written. If it has only letters or only digits,
//     such as "test" or "1234", or fewer than four characters, it must not be part of a
//     longer word, because it would be found everywhere.
//
// They may be escaped as in JSON, C, URLs, HTML and quoted-printable, in any mixture and
// more than once, and be part of a longer text in base64 or hex, also of UTF-16. A nil
// *Secrets finds nothing.
type Secrets struct {
	long   string // those of runLength or more, as they are compared, each before a line break
	exact  string // the same, as they are
	short  []shortSecret
	filter []uint64 // of the samples of long: a Bloom filter; its length is a power of two
	shift  int      // turns a hash into a place in the filter
	// unusual: a secret has what the quick look cannot handle, a blank or more than ASCII,
	// so every text is read with care.
	unusual bool
}

// A shortSecret is one that counts as a whole, or one of its encodings.
type shortSecret struct {
	text  string
	alone bool // it counts only if it is not part of a longer word
}

// New returns the Secrets to look for; some may be empty. It returns nil if all are.
func New(secrets []string) *Secrets {
	m := &Secrets{}
	for _, s := range secrets {
		m.add(s)
	}
	if m.long == "" && len(m.short) == 0 {
		return nil
	}
	m.fill()
	return m
}

// add adds a secret. Invisible characters in it do not count.
func (m *Secrets) add(secret string) {
	s := strings.TrimSpace(characters(secret))
	blankless := strings.ReplaceAll(s, " ", "")
	m.unusual = m.unusual || !provider.IsPlain(s) || strings.Contains(s, " ")
	if len(blankless) < runLength {
		m.addShort(s)
		return
	}
	m.exact += s + "\n"
	m.addLong(lower(blankless))
	if s != blankless { // as in an HTML form
		m.addLong(lower(strings.ReplaceAll(s, " ", "+")))
	}
}

func (m *Secrets) addLong(s string) {
	if !strings.Contains(m.long, s) {
		m.long += s + "\n"
	}
}

func (m *Secrets) addShort(s string) {
	if strings.Trim(s, "*") == "" { // empty, or already masked
		return
	}
	m.addWord(shortSecret{s, len(s) < minEncoded || isWord(s)})
	if len(s) < minEncoded {
		return
	}
	digits := hex.EncodeToString([]byte(s))
	m.addWord(shortSecret{digits, false})
	m.addWord(shortSecret{strings.ToUpper(digits), false})
	for before := range 3 { // bytes of a longer text
		m.addWord(shortSecret{base64Of(before, s), false})
	}
}

// base64Of is s as it is in the base64 of a longer text, with before bytes in front of it
// in its group, without the characters that it shares with its neighbours.
func base64Of(before int, s string) string {
	text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), s...))
	return text[(before*8+5)/6 : (before+len(s))*8/6]
}

func (m *Secrets) addWord(w shortSecret) {
	if !slices.Contains(m.short, w) {
		m.short = append(m.short, w)
	}
}

// isWord reports whether s is only letters or only digits.
func isWord(s string) bool {
	other := func(is func(rune) bool) bool {
		return strings.ContainsFunc(s, func(c rune) bool { return !is(c) })
	}
	return !other(unicode.IsLetter) || !other(unicode.IsDigit)
}

// fill makes the filter: with two of at least 32 bits for each sample, it lets through
// about one other text in several hundred.
func (m *Secrets) fill() {
	size := bits.Len(uint(len(m.long) / 2))
	m.filter, m.shift = make([]uint64, 1<<size), 64-size
	for secret := range strings.Lines(m.long) {
		var run uint64
		for i := range len(secret) - 1 {
			if run = run<<8 | uint64(secret[i]); i >= sampleLength-1 {
				place, pair := m.hash(run)
				m.filter[place] |= pair
			}
		}
	}
}

// sampleLength is how many characters of a run are enough to doubt a text. A sample after
// every fourth character hits any run.
const (
	sampleLength = 5
	sampleEvery  = runLength - sampleLength + 1
)

// hash is where the bits of a sample are in the filter. The sample is the last characters
// of run, in its lowest bytes.
func (m *Secrets) hash(run uint64) (place, pair uint64) {
	h := run << (64 - 8*sampleLength) * 0x9e3779b97f4a7c15 // 2^64 by the golden ratio, which spreads well
	return h >> m.shift, 1<<(h>>26&63) | 1<<(h>>32&63)
}

// maybe reports whether the end of a run may be part of a long secret. Few others pass.
func (m *Secrets) maybe(run uint64) bool {
	place, pair := m.hash(run)
	return m.filter[place]&pair == pair
}

// has reports whether the last characters of run, in the given number, are part of a long
// secret.
func (m *Secrets) has(run uint64, characters int) bool {
	var text [8]byte
	binary.BigEndian.PutUint64(text[:], run)
	return strings.Contains(m.long, string(text[len(text)-characters:]))
}

// A Verdict says what to do with a text.
type Verdict int

const (
	Clean   Verdict = iota
	Dirty           // there are secrets in it
	Tangled         // it takes too much work to find out: none of it may be shown
)

// Unusual reports whether a secret has what the quick look cannot handle, a blank or more
// than ASCII, so every text is read with care.
func (m *Secrets) Unusual() bool { return m.unusual }

// Look reports whether there are secrets in s, or will be once its blanks are folded.
func (m *Secrets) Look(s string) Verdict {
	f := finder{Secrets: m}
	f.find(textOf(s), maxCoded)
	if m.unusual && len(f.found) == 0 { // a password may have blanks
		line, _ := provider.FoldLine(s, len(s))
		f.find(textOf(line), maxCoded)
	}
	switch {
	case f.lost:
		return Tangled
	case len(f.found) > 0:
		return Dirty
	}
	return Clean
}

// Mask replaces every secret in s with ***. ok is false if s takes too much work.
func (m *Secrets) Mask(s string) (_ string, ok bool) {
	f := finder{Secrets: m}
	if f.find(textOf(s), maxCoded); f.lost {
		return "", false
	}
	return hide(s, f.found), true
}

// hide replaces the spans, some of which may touch, with ***.
func hide(s string, spans []span) string {
	if len(spans) == 0 {
		return s
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.from - b.from) })
	var b strings.Builder
	end := int32(0)
	for i, at := range spans {
		if i == 0 || at.from > end {
			b.WriteString(s[end:at.from])
			b.WriteString(Masked)
		}
		end = max(end, at.to)
	}
	b.WriteString(s[end:])
	return b.String()
}
