package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// maxFile is the size, in bytes, above which a file is not a configuration.
const maxFile = 1 << 20

// A document is a parsed file: its values, and the position of each.
type document struct {
	data   []byte
	values map[string]any
	root   *node
}

// parseDocument reads TOML. It reports mistakes in the language: syntax, duplicate keys,
// encoding.
func parseDocument(data []byte) (*document, *mistake) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Windows editors write a byte order mark
	d := &document{data: data, root: &node{key: nowhere, value: nowhere}}
	if len(data) > maxFile {
		return d, &mistake{*flawf("", "the file %v", tooLargeError(maxFile)), nowhere}
	}
	if at := invalidUTF8(data); at >= 0 {
		return d, &mistake{*flawf("save it as UTF-8", "the file is not UTF-8"), span{at, at + 1}}
	}
	if err := toml.Unmarshal(data, &d.values); err != nil {
		return d, d.syntax(err)
	}
	d.locate()
	return d, nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// syntax turns the library's error into ours. It takes only position and message, because the
// library's text repeats the lines around the error unmasked.
func (d *document) syntax(err error) *mistake {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return &mistake{*flawf("", "not valid TOML"), nowhere}
	}
	row, column := decode.Position()
	at := lineStart(d.data, row) + column - 1
	at = max(0, min(at, len(d.data)))
	message := strings.TrimPrefix(decode.Error(), "toml: ")
	met, size := utf8.DecodeRune(d.data[at:])
	if size > 1 { // the library names its first byte
		message = byteMet.ReplaceAllLiteralString(message, fmt.Sprintf("%#U", met))
	}
	fix := syntaxFix(d.data, at, met, message)
	return &mistake{*flawf(fix, "not valid TOML: %s", maskWords(printable(message))), span{at, at + max(1, size)}}
}

// byteMet matches the library's name for an unexpected byte.
var byteMet = regexp.MustCompile(`U\+00[0-9A-F]{2}(?: '.')?`)

// syntaxFix names the usual cause: a value without quotes or with typographic ones, or the
// syntax of another format.
func syntaxFix(data []byte, at int, met rune, message string) string {
	line := bytes.TrimRight(data[bytes.LastIndexByte(data[:at], '\n')+1:at], " \t")
	switch {
	case unicode.In(met, unicode.Pi, unicode.Pf) || strings.ContainsRune("„‚＂`´", met):
		return `write straight quotes: kind = "ollama"`
	case met > unicode.MaxASCII && !unicode.IsGraphic(met) || met != ' ' && unicode.Is(unicode.Zs, met):
		return "delete that character, which is invisible or looks like a blank"
	case bytes.HasSuffix(line, []byte("=")) && met > ' ':
		return `write text in double quotes: kind = "ollama"`
	case strings.HasSuffix(message, "strings cannot have new lines"):
		return "close the quote on the same line"
	case met == ':' && strings.HasPrefix(message, "expected '='"):
		return `write an equals sign after the name, and text in double quotes: kind = "ollama"`
	case met == '{' && len(line) == 0:
		return "this is TOML, not JSON: write [[provider]], and its settings on the lines below"
	}
	return ""
}

// lineStart is the offset of a line, counted from 1.
func lineStart(data []byte, line int) int {
	offset := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(data[offset:], '\n')
		if i < 0 {
			return len(data)
		}
		offset += i + 1
	}
	return offset
}
