package ctl

import (
	"runtime"
	"strings"
)

// ASCIIWanted reports whether text has to be ASCII, because the environment asks for that
// or does not allow more. The first of LC_ALL, LC_CTYPE and LANG that is set decides, by
// its name, as for every program; shown is whether the output is a terminal.
func ASCIIWanted(getenv func(string) string, shown bool) bool {
	return asciiWanted(getenv, runtime.GOOS, shown, consoleReadsUTF8)
}

// asciiWanted is [ASCIIWanted] on any system. If none of the variables is set, the locale
// is C. Two systems do not set them: on macOS everything that shows text takes UTF-8, and
// so does a console of Windows, where a pipe has the console's code page.
func asciiWanted(getenv func(string) string, system string, shown bool, consoleReadsUTF8 func() bool) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := getenv(name); locale != "" {
			return !isUTF8(locale)
		}
	}
	switch system {
	case "darwin", "ios":
		return false
	case "windows":
		return !shown && !consoleReadsUTF8()
	}
	return true
}

// isUTF8 reports whether a locale, such as de_DE.UTF-8@euro, has that character set. On
// macOS, LC_CTYPE can be the name of the character set alone.
func isUTF8(locale string) bool {
	locale, _, _ = strings.Cut(locale, "@")
	charset := locale
	if _, after, found := strings.Cut(locale, "."); found {
		charset = after
	}
	return strings.EqualFold(strings.ReplaceAll(charset, "-", ""), "utf8")
}
