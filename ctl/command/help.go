package command

import (
	"cmp"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// Help writes what c is for and how to call it.
func (c *Command) Help() error {
	text := c.helpText()
	root := c.Root()
	if root.ASCII {
		text = ASCII(text)
	}
	if root.Columns != nil {
		text = fit(text, root.Columns())
	}
	_, err := io.WriteString(c.Out(), text)
	return err
}

func (c *Command) helpText() string {
	c.addOwnFlags()
	c.addExternal()
	var b strings.Builder
	about := cmp.Or(c.Long, c.Short)
	if c.long != nil {
		about = c.long()
	}
	b.WriteString(strings.TrimRightFunc(about, unicode.IsSpace) + "\n\nUsage:\n  " + c.UseLine() + "\n")
	if c.HasSubCommands() {
		b.WriteString("  " + c.CommandPath() + " [command]\n")
	}
	if len(c.Aliases) > 0 {
		b.WriteString("\nAliases:\n  " + strings.Join(append([]string{c.Name()}, c.Aliases...), ", ") + "\n")
	}
	if c.Example != "" {
		b.WriteString("\nExamples:\n" + c.Example + "\n")
	}
	if c.HasSubCommands() {
		b.WriteString("\nAvailable Commands:\n" + commandList(c.Commands()))
	}
	if list := flagList(c.OwnFlags()); list != "" {
		b.WriteString("\nFlags:\n" + list)
	}
	if list := flagList(c.InheritedFlags()); list != "" {
		b.WriteString("\nGlobal Flags:\n" + list)
	}
	if c.HasSubCommands() {
		b.WriteString("\nUse \"" + c.CommandPath() + " [command] --help\" for more information about a command.\n")
	}
	return b.String()
}

func commandList(commands []*Command) string {
	width := 11
	for _, cmd := range commands {
		width = max(width, len(cmd.Name()))
	}
	var b strings.Builder
	for _, cmd := range commands {
		if !cmd.Hidden {
			b.WriteString("  " + padded(cmd.Name(), width) + " " + cmd.Short + "\n")
		}
	}
	return b.String()
}

// flagList is a line for each flag: "  -o, --output table|json   format of the output".
func flagList(flags []*Flag) string {
	var heads, tails []string
	width := 0
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name, usage := f.UnquoteUsage()
		head := "      --" + f.Name
		if f.Shorthand != "" {
			head = "  -" + f.Shorthand + ", --" + f.Name
		}
		if name != "" {
			head += " " + name
		}
		heads, tails = append(heads, head), append(tails, usage+f.defaultNote())
		width = max(width, len(head))
	}
	var b strings.Builder
	for i, head := range heads {
		b.WriteString(padded(head, width) + "   " + tails[i] + "\n")
	}
	return b.String()
}

// defaultNote is the note about a default, unless it is obvious.
func (f *Flag) defaultNote() string {
	value := f.Default()
	switch f.Value.Type() {
	case "string":
		if value != "" {
			value = strconv.Quote(value)
		}
	case "bool", "int", "uint64", "duration":
		if value == "false" || value == "0" || value == "0s" {
			value = ""
		}
	}
	if value == "" {
		return ""
	}
	return " (default " + value + ")"
}

func padded(s string, width int) string { return s + strings.Repeat(" ", max(0, width-len(s))) }
