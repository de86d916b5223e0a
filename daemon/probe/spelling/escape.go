package spelling

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A form is a way to escape a character, or the rest of one.
type form uint8

const (
	afterBackslash form = iota
	afterPercent
	afterEquals // of quoted-printable text (RFC 2045, section 6.7)
	afterAmpersand
	codeUnit      // \u002b, \U0000002b, and JavaScript's %u002b
	braced        // \u{2b}
	halfPair      // the backslash of a surrogate pair's second half
	halfPairU     // its u
	afterX        // \x, which \x2b and \x{2b} begin with
	octet         // \x2b, %2b, =2B
	afterO        // \o
	octal         // \053
	bracedOctal   // \o{53}
	entityNumber  // &#
	entityDecimal // &#43;
	entityHex     // &#x2b;
	entityName    // &plus;
	manyOctets    // a character of several octets, each of which may be escaped
)

// An escape is a partly read escape. Escapes are those of JSON, C and its heirs, URLs,
// HTML, and quoted-printable text. Some have no clear end: they stand for something at each
// possible end.
type escape struct {
	form   form
	long   bool // a code unit that may have eight digits
	digits int
	value  rune
	high   rune   // the first half of a surrogate pair
	text   string // a name, or octets
	gaps   int8   // in it so far
}

const (
	longestName   = 32 // letters; HTML's longest has 31
	longestNumber = 64 // digits, with leading zeros
)

// escapeBegins is the escape that a character begins, if any.
func escapeBegins(c byte) (_ escape, ok bool) {
	switch {
	case c == '\\':
		return escape{form: afterBackslash}, true
	case c == '%':
		return escape{form: afterPercent}, true
	case c == '=':
		return escape{form: afterEquals}, true
	case c == '&':
		return escape{form: afterAmpersand}, true
	case c >= 0xc2 && c <= 0xf4: // begins a character in UTF-8
		return escape{form: manyOctets, text: string([]byte{c})}, true
	}
	return escape{}, false
}

// A step is what an escape becomes with one more character.
type step struct {
	next   escape
	goesOn bool
	stands string // see character; only if is
	is     bool
}

// read processes one more character.
func (e escape) read(c byte) step {
	digit, isHex := rune(chars[c]>>nibbleAt&15), chars[c]&nibble != 0
	switch e.form {
	case afterBackslash:
		return backslash(c)
	case afterPercent:
		if c|0x20 == 'u' {
			return step{next: escape{form: codeUnit}, goesOn: true}
		}
		return escape{form: octet}.read(c)
	case afterEquals:
		return escape{form: octet}.read(c)
	case afterAmpersand:
		if c == '#' {
			return step{next: escape{form: entityNumber}, goesOn: true}
		}
		return escape{form: entityName}.readName(c)
	case codeUnit:
		return e.readUnit(c)
	case braced:
		if c == '}' && e.digits > 0 {
			return step{stands: character(e.value), is: true}
		}
		return e.readDigit(digit, isHex, 16, longestNumber)
	case halfPair:
		return step{next: escape{form: halfPairU, high: e.high}, goesOn: c == '\\' || c == '%'}
	case halfPairU:
		return step{next: escape{form: codeUnit, high: e.high}, goesOn: c|0x20 == 'u'}
	case bracedOctal:
		if c == '}' && e.digits > 0 {
			return step{stands: character(e.value), is: true}
		}
		return e.readDigit(digit, isHex && digit < 8, 8, longestNumber)
	case afterO:
		return step{next: escape{form: bracedOctal}, goesOn: c == '{'}
	case afterX:
		if c == '{' {
			return step{next: escape{form: braced}, goesOn: true}
		}
		return escape{form: octet}.read(c)
	case octet:
		s := e.readDigit(digit, isHex, 16, 2)
		if s.next.digits == 2 {
			return step{stands: octetStands(byte(s.next.value)), is: true}
		}
		return s
	case octal:
		s := e.readDigit(digit, isHex && digit < 8, 8, 3)
		s.stands, s.is = octetStands(byte(s.next.value)), s.goesOn
		return s
	case entityNumber:
		if c|0x20 == 'x' {
			return step{next: escape{form: entityHex}, goesOn: true}
		}
		return escape{form: entityDecimal}.readNumber(c, digit, isHex && digit < 10, 10)
	case entityDecimal:
		return e.readNumber(c, digit, isHex && digit < 10, 10)
	case entityHex:
		return e.readNumber(c, digit, isHex, 16)
	case entityName:
		return e.readName(c)
	}
	return e.readOctet(c)
}

// backslash reads what follows a backslash.
func backslash(c byte) step {
	switch {
	case c|0x20 == 'u':
		return step{next: escape{form: codeUnit, long: c == 'U'}, goesOn: true}
	case c|0x20 == 'x':
		return step{next: escape{form: afterX}, goesOn: true}
	case c == 'o':
		return step{next: escape{form: afterO}, goesOn: true}
	case c >= '0' && c <= '7':
		return escape{form: octal}.read(c)
	case strings.IndexByte("nrtbfvae", c) >= 0: // these move a cursor
		return step{stands: " ", is: true}
	case chars[c]&wordly == 0:
		return step{stands: string(rune(c)), is: true}
	}
	return step{}
}

// readDigit processes a digit of a number with at most that many digits.
func (e escape) readDigit(digit rune, ok bool, base rune, most int) step {
	if !ok || e.digits == most {
		return step{}
	}
	e.value = min(e.value, unicode.MaxRune)*base + digit // anything larger is not a character
	e.digits++
	return step{next: e, goesOn: true}
}

// readUnit processes a digit of a code unit.
func (e escape) readUnit(c byte) step {
	if c == '{' && e.digits == 0 {
		return step{next: escape{form: braced}, goesOn: true}
	}
	s := e.readDigit(rune(chars[c]>>nibbleAt&15), chars[c]&nibble != 0, 16, 8)
	value := s.next.value
	switch {
	case s.next.digits == 8:
		return step{stands: character(value), is: true}
	case s.next.digits != 4:
	case e.high != 0:
		return step{stands: character(utf16.DecodeRune(e.high, value)), is: true}
	case utf16.IsSurrogate(value):
		return step{next: escape{form: halfPair, high: value}, goesOn: true}
	default:
		s.stands, s.is, s.goesOn = character(value), true, e.long
	}
	return s
}

// readNumber processes a digit of a numeric entity, or its end.
func (e escape) readNumber(c byte, digit rune, ok bool, base rune) step {
	if c == ';' && e.digits > 0 {
		return step{stands: character(e.value), is: true}
	}
	s := e.readDigit(digit, ok, base, longestNumber)
	s.stands, s.is = character(s.next.value), s.next.value != 0
	return s
}

// readName processes a letter of a named entity, or its end. Browsers accept some of them
// without an end.
func (e escape) readName(c byte) step {
	if c == ';' {
		entity := "&" + e.text + ";"
		stands := html.UnescapeString(entity)
		return step{stands: characters(stands), is: stands != entity && !strings.HasSuffix(stands, ";") || e.text == "semi"}
	}
	if chars[c]&wordly == 0 || c >= utf8.RuneSelf || len(e.text) == longestName {
		return step{}
	}
	e.text += string(rune(c))
	s := step{next: e, goesOn: true}
	entity := "&" + e.text
	if stands := html.UnescapeString(entity); stands != entity && utf8.RuneCountInString(stands) == 1 {
		s.stands, s.is = characters(stands), true
	}
	return s
}

// readOctet processes one more octet of a character, which matters if the character is
// invisible.
func (e escape) readOctet(c byte) step {
	if c&0xc0 != 0x80 {
		return step{}
	}
	if e.text += string([]byte{c}); !utf8.FullRuneInString(e.text) {
		return step{next: e, goesOn: true}
	}
	stands := characters(e.text)
	return step{stands: stands, is: len(stands) < 2}
}

// octetStands is what an escaped octet stands for: a character, or part of one.
func octetStands(c byte) string {
	if c >= utf8.RuneSelf {
		return string([]byte{c})
	}
	return character(rune(c))
}

// character is c as it is compared: a blank is a space, and an invisible character is
// nothing.
func character(c rune) string {
	switch {
	case unicode.IsSpace(c):
		return " "
	case c == utf8.RuneError || isUnseen(c):
		return ""
	}
	return string(c)
}

func characters(s string) string {
	var b strings.Builder
	for _, c := range s {
		b.WriteString(character(c))
	}
	return b.String()
}

// isUnseen recognises characters that are invisible, or show only as part of the character
// before.
func isUnseen(c rune) bool {
	return !unicode.IsPrint(c) || unicode.In(c, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point)
}
