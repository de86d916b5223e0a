// Package man writes the generated parts of the manual pages: commands and flags, from the
// help of the command line. The pages are in the same folder; a test of each program checks
// that its page is up to date.
package man

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/command"
)

// Replace puts text between the marks of a part of a page. It fails if the page has none.
func Replace(page, part, text string) (string, error) {
	open, shut := `.\" `+part+"\n", `.\" end of `+part+"\n"
	before, rest, ok := strings.Cut(page, open)
	_, after, closed := strings.Cut(rest, shut)
	if !ok || !closed {
		return "", fmt.Errorf("the page lacks the marks %q and %q", open, shut)
	}
	return before + open + text + shut + after, nil
}

// Commands is an mdoc list of every command below root, with its flags.
func Commands(root *command.Command) string {
	var b strings.Builder
	b.WriteString(".Bl -tag -width Ds\n")
	commands(&b, root, root)
	b.WriteString(".El\n")
	return b.String()
}

func commands(b *strings.Builder, root, parent *command.Command) {
	for _, cmd := range parent.Commands() {
		switch {
		case cmd.Hidden || cmd.Name() == "help":
			continue
		case cmd.Name() == "completion":
			completion(b, cmd)
			continue
		case cmd.HasSubCommands() && !takesArguments(cmd):
			if flags := Flags(cmd.PersistentFlags()); flags != "" { // those of each subcommand
				fmt.Fprintf(b, ".It %s Ar command\n%s.Pp\n%s", usage(root, cmd), Text(about(cmd)), flags)
			}
			commands(b, root, cmd)
			continue
		}
		fmt.Fprintf(b, ".It %s\n%s", usage(root, cmd), Text(about(cmd)))
		if len(cmd.Aliases) > 0 {
			b.WriteString(Text("Also called " + strings.Join(cmd.Aliases, " or ") + "."))
		}
		if flags := Flags(cmd.Flags()); flags != "" {
			b.WriteString(".Pp\n" + flags)
		}
		if cmd.Example != "" {
			b.WriteString(".Pp\n.Bd -literal -compact\n")
			for line := range strings.Lines(cmd.Example) {
				b.WriteString(escape(strings.TrimRight(strings.TrimPrefix(line, "  "), "\n")) + "\n")
			}
			b.WriteString(".Ed\n")
		}
		commands(b, root, cmd)
	}
}

// about is the description from a command's help.
func about(cmd *command.Command) string { return cmp.Or(cmd.Long, cmd.Short+".") }

// takesArguments reports whether a command with subcommands also does something itself.
func takesArguments(cmd *command.Command) bool { return strings.Contains(cmd.Use, " ") }

func completion(b *strings.Builder, cmd *command.Command) {
	var shells []string
	for _, shell := range cmd.Commands() {
		shells = append(shells, shell.Name())
	}
	fmt.Fprintf(b, ".It Cm completion %s\n%s", strings.Join(shells, " | "),
		Text("Print the completion script for that shell."))
}

// usage is the usage line of a command's help: "wait ID".
func usage(root, cmd *command.Command) string {
	path := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
	out := "Cm " + path
	words := strings.Fields(cmd.Use)
	for _, word := range words[1:] {
		name, optional := strings.CutPrefix(word, "[")
		name = strings.TrimSuffix(name, "]")
		many := strings.HasSuffix(name, "…") || strings.HasSuffix(name, "...")
		name = strings.TrimSuffix(strings.TrimSuffix(name, "…"), "...")
		if optional {
			out += " Op"
		}
		out += " Ar " + name
		if many {
			out += " ..."
		}
	}
	return out
}

// Flags is an mdoc list of the flags, in the order of their names; it is empty if there are
// only help and version.
func Flags(flags *command.FlagSet) string {
	var b strings.Builder
	for _, f := range flags.Sorted() {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			continue
		}
		value, text := f.UnquoteUsage()
		item := ".It "
		if f.Shorthand != "" {
			item += "Fl " + f.Shorthand + " , "
		}
		item += "Fl -" + f.Name
		if value != "" {
			item += " Ar " + value
		}
		switch def := f.Default(); {
		case slices.Contains([]string{"", "false", "0", "0s", "[]"}, def), strings.Contains(text, "default"):
		default:
			text += " (default " + def + ")"
		}
		b.WriteString(item + "\n" + Text(text))
	}
	if b.Len() == 0 {
		return ""
	}
	return ".Bl -tag -width Ds -compact\n" + b.String() + ".El\n"
}

// Text is prose as mdoc: paragraphs, and indented lines as they are.
func Text(text string) string {
	var b strings.Builder
	var literal bool
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		line = strings.TrimRight(line, "\n")
		if indented := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t"); indented != literal {
			b.WriteString(map[bool]string{true: ".Bd -literal -offset indent -compact\n", false: ".Ed\n"}[indented])
			literal = indented
		}
		switch {
		case line == "":
			b.WriteString(".Pp\n")
		default:
			line = sentence.ReplaceAllString(strings.TrimSpace(line), "$1\n$2")
			for line := range strings.Lines(line + "\n") {
				b.WriteString(escape(strings.TrimRight(line, "\n")) + "\n")
			}
		}
	}
	if literal {
		b.WriteString(".Ed\n")
	}
	return b.String()
}

// sentence matches the end of a sentence: each sentence has its own line, so that roff sets the
// space between them.
var sentence = regexp.MustCompile(`([A-Za-z0-9)]\.) +([A-Z-])`)

var option = regexp.MustCompile(`(^|[\s(\[/,|"])(--?[a-z][a-z-]*)`)

// escape makes a line of text safe: no control line, the hyphens of options as typed, and
// only ASCII.
func escape(line string) string {
	line = strings.ReplaceAll(line, `\`, `\e`)
	line = option.ReplaceAllStringFunc(line, func(s string) string { return strings.ReplaceAll(s, "-", `\-`) })
	var b strings.Builder
	for _, r := range line {
		if r > 0x7e {
			fmt.Fprintf(&b, `\[u%04X]`, r)
			continue
		}
		b.WriteRune(r)
	}
	line = b.String()
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		line = `\&` + line
	}
	return line
}
