package command

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// fit breaks the lines of a help text between words, to fit on a screen of so many columns;
// 0 is any number. Descriptions keep their indentation, and prose is filled again. Command
// lines are not broken, so that they can be copied.
func fit(text string, columns int) string {
	if columns <= 0 {
		return text
	}
	var b strings.Builder
	var prose []string // lines of one paragraph
	flush := func() {
		if slices.ContainsFunc(prose, func(line string) bool { return utf8.RuneCountInString(line) > columns }) {
			prose = []string{broken(strings.Join(prose, " "), columns)}
		}
		for _, line := range prose {
			b.WriteString(line + "\n")
		}
		prose = nil
	}
	code := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && line[0] != ' ' && line[0] != '\t' {
			prose = append(prose, line)
			code = line == "Usage:" || line == "Examples:"
			continue
		}
		flush()
		if utf8.RuneCountInString(line) > columns && !code && !strings.HasPrefix(line, "\t") {
			line = broken(line, columns)
		}
		b.WriteString(line + "\n")
	}
	flush()
	return b.String()
}

// broken is a line broken into several. If there is little room beside the term, its
// description goes below it.
func broken(line string, columns int) string {
	const least, below = 24, 8
	indent := len(line) - len(strings.TrimLeft(line, " "))
	head, text := line[:indent], line[indent:]
	if name, about, found := strings.Cut(text, "  "); found {
		about = strings.TrimLeft(about, " ")
		head, text = line[:len(line)-len(about)], about
		if indent = utf8.RuneCountInString(head); columns-indent < least {
			indent = min(below, columns/2)
			head = line[:len(line)-len(strings.TrimLeft(line, " "))] + name + "\n" + strings.Repeat(" ", indent)
		}
	}
	out, used := head, indent
	for i, word := range strings.Fields(text) {
		size := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+size > columns:
			out += "\n" + strings.Repeat(" ", indent)
			used = indent
		default:
			out += " "
			used++
		}
		out += word
		used += size
	}
	return out
}
