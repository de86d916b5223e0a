package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// People paste keys into the wrong place, and that mistake makes the line part of an error that
// ends up in a log or a bug report. So every text from the file is masked here before it is
// shown. Masking too much costs a reader a glance at the file; masking too little costs a key.

const masked = "***"

var (
	// userInfo is what precedes an @ at the start of a word or a URL. A password can contain
	// blanks and slashes, so only a quote ends it.
	userInfo = regexp.MustCompile(`(^|["'=\s](?:[A-Za-z][A-Za-z0-9+.-]*://)?|^[A-Za-z][A-Za-z0-9+.-]*://)[^"'\n]*@`)
	// urlQuery is the query or fragment of a URL; some vendors take a key there.
	urlQuery = regexp.MustCompile(`(://[^"'\s?#]*[?#])[^"'\s]+`)
	// secretSetting is a setting that is named like a secret.
	secretSetting = regexp.MustCompile(`(?i)([\w.-]*(?:key|token|secret|passw|credential|authorization|bearer)[\w-]*)["']?\s*[=:]\s*(.*)`)
	// secretBlock opens a multi-line string that is the value of such a setting.
	secretBlock = regexp.MustCompile(`(?i)(?:key|token|secret|passw|credential|authorization|bearer)[\w-]*["']?[ \t]*=[ \t]*("""|''')`)
	// secretPrefix is how vendors mark their keys.
	secretPrefix = regexp.MustCompile(`(?i)^(?:sk|pk|rk|gsk|csk|hf|xai|nvapi|pplx|tgp|fw)[-_]..`)
	word         = regexp.MustCompile(`(?:[A-Za-z0-9_+/=-]|` + escaped.String() + `){5,}`)
	// escaped is an escaped character of TOML or a URL.
	escaped = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\x([0-9A-Fa-f]{2})|%([0-9A-Fa-f]{2})`)
	quoted  = regexp.MustCompile(`"([^"]*)"|'([^']*)'`)
)

// maskSecrets hides what is, or looks like, a secret in one line of the file.
func maskSecrets(line string) string {
	if m := secretSetting.FindStringSubmatchIndex(line); m != nil && !harmless(line[m[2]:m[3]], line[m[4]:m[5]]) {
		line = line[:m[4]] + masked
	}
	line = optionValue.ReplaceAllString(line, "${1}"+masked)
	line = userInfo.ReplaceAllString(line, "${1}"+masked+"@")
	return maskWords(urlQuery.ReplaceAllString(line, "${1}"+masked))
}

// maskWords hides single words that look like keys.
func maskWords(line string) string {
	return word.ReplaceAllStringFunc(line, func(w string) string {
		if looksSecret(w) {
			return masked
		}
		return w
	})
}

// harmless reports whether a setting that is named like a secret has only the name of one, like
// api_key_env, api_key_file and client_key_file.
func harmless(name, value string) bool {
	switch name {
	case "api_key_env", "api_key_file", keyFile, "token_file", "secret_file", fleetKey, fleetSecret:
	default:
		return false
	}
	m := quoted.FindStringSubmatch(value)
	// An escape such as \n may separate a name from a key behind it.
	return m != nil && !strings.Contains(m[1], `\`) && !looksSecret(m[1]+m[2])
}

// looksSecret guesses whether a word is a key: it starts like vendors' keys, or is long and mixes
// characters that names and paths do not mix.
func looksSecret(w string) bool {
	w = unescaped(w)
	if secretPrefix.MatchString(w) {
		return true
	}
	if len(w) < 16 || strings.HasPrefix(w, "/") {
		return false
	}
	lower := strings.ContainsFunc(w, unicode.IsLower)
	upper := strings.ContainsFunc(w, unicode.IsUpper)
	digit := strings.ContainsFunc(w, unicode.IsDigit)
	plain := !strings.ContainsAny(w, "-_/")
	return digit && (lower && upper || (lower || upper) && plain && len(w) >= 24)
}

// unescaped is s with its escapes resolved.
func unescaped(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(e string) string {
		c, err := strconv.ParseUint(strings.TrimLeft(e, `\uUx%`), 16, 32)
		if err != nil {
			return e
		}
		return string(rune(c))
	})
}

// insideSecretBlock reports whether the byte at offset lies within a multi-line
// string whose setting is named like a secret, or after one that never ends.
func insideSecretBlock(data []byte, offset int) bool {
	before := data[:offset]
	for {
		m := secretBlock.FindSubmatchIndex(before)
		if m == nil {
			return false
		}
		quote := string(before[m[2]:m[3]])
		end := strings.Index(string(before[m[1]:]), quote)
		if end < 0 {
			return true
		}
		before = before[m[1]+end+len(quote):]
	}
}

// printable makes a text of unknown origin safe for one line of a terminal: characters that
// could move the cursor or colour the text become "?".
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
