package config

import (
	"regexp"
	"strings"
	"unicode"
)

// Keys are copied from web pages, .env files, Dockerfiles and chats, often with the text around
// them. What cannot be part of a key is dropped at its ends. The rest is sent as it is, as the
// vendors' own programs do. Warnings only name its form: no text here repeats any part of a
// key.

// bareKey is a key without the blanks, line breaks and invisible characters around it.
func bareKey(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || isInvisible(r) })
}

// isInvisible reports whether a character of copied text is invisible: byte order marks,
// joiners, zero-width blanks, directions.
func isInvisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// badKey says why a key cannot be sent in a header; empty if it can.
func badKey(key string) string {
	problem := unsendable(key)
	if problem == "" {
		return ""
	}
	if form := wrapping(key); form != "" { // it is more specific
		return form
	}
	return problem
}

func unsendable(key string) string {
	for _, r := range key {
		switch {
		case r == 0 || r == unicode.ReplacementChar:
			return "is not plain text: it may be saved as UTF-16"
		case r == '\n' || r == '\r':
			return "has more than one line"
		case r == ' ' || r == '\t':
			return "contains a blank"
		case r < ' ' || r == 0x7f:
			return "contains a control character"
		case isInvisible(r):
			return "contains an invisible character"
		case r > '~':
			return "contains a non-ASCII character"
		}
	}
	return ""
}

var (
	assignment = regexp.MustCompile(`^(?:(?i:export|set|setx|declare -x|env)\s+|\$[Ee]nv:)?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\s*=\s*\S`)
	// labelled is a key after its name in a settings file.
	labelled   = regexp.MustCompile(`(?i)^-?\s*["']?(?:[a-z0-9_-]*(?:api[_-]?key|access[_-]?token|api[_-]?token|secret[_-]?key)|key|token)["']?\s*(?:=|:\s)\s*[^\s=]`)
	headerForm = regexp.MustCompile(`(?i)^(?:-H\s*)?["']?(?:authorization|proxy-authorization|x-api-key|x-goog-api-key|api-key)\s*:`)
	schemeForm = regexp.MustCompile(`(?i)^(bearer|basic|token)[\s:]+\S`)
	unexpanded = regexp.MustCompile(`^(?:\$[A-Za-z_]\w*|\$\{.*\}|\$\(.*\)|%\w+%|\{\{.*\}\})$`)
	reference  = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*://|(?:vault|secret|sops|ssm|ref|env|file|keyring|keychain|op|bws|sm):|ENC\[|arn:aws|@Microsoft\.KeyVault|!(?:vault|secret)|!!)`)
	pathForm   = regexp.MustCompile(`^(?:~|\.{1,2}|/(?:run|etc|home|var|root|opt|mnt|tmp|usr|srv|Users))/|^[A-Za-z]:\\`)
	standIn    = regexp.MustCompile(`(?i)^<.*>$|^\[.*\]$|(?:^|[^a-z])your?[-_. ]?(?:\w+[-_. ])*(?:api)?[-_. ]?(?:key|token|secret)|(?:key|token|secret)[-_. ]?(?:goes[-_. ]?)?here\b|^(?:[\w-]*[-_])?(?:x{4,}|\*{3,}|\.{3,}|…)$|^(?:[a-z]+[-_])*(?:change|replace|insert|paste|enter|put|add)[-_.]?(?:me|this|your|api|key|it|the)\b`)
	emptyWord  = regexp.MustCompile(`(?i)^(?:none|null|nil|undefined|false|true|empty|dummy|fake|test|todo|fixme|tbd|placeholder|example|secret|password|changeme|key|token|apikey|api[-_]key|n/a|na|no|no-key|no-key-required|not-needed|not-used|unused|foo|bar|abc|123|1234|12345|x+|sk-[.x*]*|0)$`)
)

// wrapping says what is around a key.
func wrapping(key string) string {
	switch {
	case headerForm.MatchString(key):
		return "begins with the name of a header"
	case assignment.MatchString(key):
		return "begins with a variable's name and an equals sign"
	case isJSON(key):
		return "is JSON, not the key alone"
	case labelled.MatchString(key):
		return "begins with its name, as in a settings file"
	case isQuoted(key):
		return "is in quotes"
	}
	if m := schemeForm.FindStringSubmatch(key); m != nil {
		return "begins with the word " + strings.ToUpper(m[1][:1]) + strings.ToLower(m[1][1:])
	}
	return ""
}

func isJSON(key string) bool {
	return strings.HasPrefix(key, "{") && strings.ContainsAny(key, `"':`) && strings.HasSuffix(key, "}") && !strings.HasPrefix(key, "{{") ||
		strings.HasPrefix(key, "[") && strings.Contains(key, `"`)
}

// quotes are straight, typographic and Markdown quotes.
const quotes = "\"'`“”„‟‘’‚‛«»‹›「」"

// isQuoted reports whether there is a quote at either end: the other may be missing.
func isQuoted(key string) bool {
	return key != strings.Trim(key, quotes)
}

// doubtfulKey says why something that can be sent hardly looks like a key; empty if it does. A
// server of your own may accept any word as a key; a vendor does not.
func doubtfulKey(key string, vendors bool) string {
	form := wrapping(key)
	switch {
	case unexpanded.MatchString(key):
		return "is a variable or a command that was not replaced with its value"
	case form != "":
		return form
	case reference.MatchString(key):
		return "is a reference to a secret, not the secret itself"
	case pathForm.MatchString(key):
		return "is the path of a file"
	case standIn.MatchString(key), vendors && emptyWord.MatchString(key):
		return "is a placeholder from an example"
	case strings.Contains(key, "..."), strings.Contains(key, "***"):
		return "is shortened, as keys are on vendors' pages"
	case strings.HasSuffix(key, `\n`), strings.HasSuffix(key, `\r`):
		return "ends with a line break in escaped form"
	case strings.ContainsAny(key, ",;") && strings.Trim(key, ",;") != key:
		return "ends with a comma or a semicolon"
	}
	return ""
}
