package ctl

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// TalkTo returns a writer of messages for people, which writes to w, in ASCII if that is
// wanted.
func TalkTo(w io.Writer, ascii bool) io.Writer {
	if !ascii {
		return w
	}
	return asciiWriter{w, talkASCII}
}

// talkASCII spells a text without a layout in ASCII. Text that is not the programs' own
// keeps its width, so that a marker below it stays below it.
func talkASCII(text string) string {
	if isASCII(text) {
		return text
	}
	out := make([]byte, 0, len(text))
	for rest, state := text, -1; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		mark := command.ASCII(cluster)
		if strings.Contains(mark, "?") && !isASCII(cluster) {
			mark = strings.Repeat("?", width)
		}
		out = append(out, mark...)
	}
	return string(out)
}

// ScreenWriter returns a writer of text laid out for a screen, without styles.
func ScreenWriter(w io.Writer, ascii bool) *provider.TextWriter {
	if ascii {
		w = asciiWriter{w, fittedASCII}
	}
	return provider.NewTextWriter(w)
}

// An asciiWriter spells text in ASCII. Each Write must have whole characters.
type asciiWriter struct {
	to    io.Writer
	spell func(text string) string
}

func (w asciiWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.to, w.spell(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// fittedASCII spells a text laid out for a screen in ASCII, and keeps the width of
// everything. Escape sequences stay as they are.
func fittedASCII(text string) string {
	if isASCII(text) {
		return text
	}
	f := fitter{out: make([]byte, 0, len(text))}
	for rest, state := text, -1; rest != ""; {
		if sequence := escapeSequence(rest); sequence != "" {
			f.out = append(f.out, sequence...)
			f.word, rest, state = 0, rest[len(sequence):], -1
			continue
		}
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		f.add(cluster, width, rest)
	}
	return string(f.out)
}

// A fitter is a text so far, and how many of its last letters may be overwritten.
type fitter struct {
	out  []byte
	word int
}

func (f *fitter) add(cluster string, width int, rest string) {
	switch {
	case isASCII(cluster):
		f.out = append(f.out, cluster...)
		if f.word++; len(cluster) != 1 || cluster[0] <= ' ' {
			f.word = 0
		}
	case cluster == "…" && f.word >= 2:
		f.out = append(f.out[:len(f.out)-2], "..."...)
	case cluster == "…" && strings.HasPrefix(rest, " "):
		f.out = append(f.out, '+')
	case cluster == "…":
		f.out = append(f.out, '~')
	case cluster == "→":
		f.out = append(f.out, '>')
	default:
		mark := command.ASCII(cluster)
		if len(mark) != width {
			mark = strings.Repeat("?", width)
		}
		f.out = append(f.out, mark...)
		f.word += width
	}
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// escapeSequence is the one that text begins with, if it is one of [Styles].
func escapeSequence(text string) string {
	if !strings.HasPrefix(text, "\x1b[") {
		return ""
	}
	return text[:strings.IndexByte(text, 'm')+1]
}
