package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// maxFile is the size, in bytes, above which a file is not a configuration.
const maxFile = 1 << 20

// A document is a parsed file: its values, and where each of them stands.
type document struct {
	data   []byte
	values map[string]any
	root   *node
}

// parseDocument reads TOML. The mistakes are those of the language: syntax, keys
// given twice, encoding.
func parseDocument(data []byte) (*document, *mistake) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Windows editors write a mark
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

// syntax turns the library's error into ours: its own text repeats the lines
// around the error unmasked, so only position and message are taken.
func (d *document) syntax(err error) *mistake {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return &mistake{*flawf("", "not valid TOML"), nowhere}
	}
	row, column := decode.Position()
	at := lineStart(d.data, row) + column - 1
	at = max(0, min(at, len(d.data)))
	message := maskWords(printable(strings.TrimPrefix(decode.Error(), "toml: ")))
	return &mistake{*flawf(syntaxFix(d.data, at), "not valid TOML: %s", message), span{at, at + 1}}
}

// syntaxFix names the usual cause: a value without its quotes.
func syntaxFix(data []byte, at int) string {
	line := bytes.TrimRight(data[bytes.LastIndexByte(data[:at], '\n')+1:at], " \t")
	if bytes.HasSuffix(line, []byte("=")) && at < len(data) && data[at] > ' ' {
		return `text stands in double quotes: kind = "ollama"`
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
