package command

import (
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The hidden commands with which the shells' scripts ask what to offer, with and without
// descriptions. Their output is a contract with scripts that were installed long ago: a
// line for each choice, with its description after a tab, and last the directive after a
// colon.
const (
	completeWord      = "__complete"
	completePlainWord = "__completeNoDesc"
)

// A Directive is what the shell is to do in addition to offering the choices.
type Directive int

// The directives, with the numbers that the scripts know.
const (
	OfferFiles   Directive = 0 // if there are no choices
	NoFiles      Directive = 4
	OfferExt     Directive = 8 // files; the choices are their extensions
	OfferFolders Directive = 16
)

// String is the directive's name, for people who call the hidden commands.
func (d Directive) String() string {
	switch d {
	case OfferFiles:
		return "ShellCompDirectiveDefault"
	case NoFiles:
		return "ShellCompDirectiveNoFileComp"
	case OfferExt:
		return "ShellCompDirectiveFilterFileExt"
	case OfferFolders:
		return "ShellCompDirectiveFilterDirs"
	}
	return strconv.Itoa(int(d))
}

// A CompletionFunc offers choices for the word typed, after the arguments that are already
// there. Shells drop choices that do not begin with typed.
type CompletionFunc func(cmd *Command, args []string, typed string) ([]string, Directive)

// Described is a choice with a description. A choice that no shell could put on a command
// line, and that a script would misread, is not offered.
func Described(choice, description string) string {
	if !offerable(choice) {
		return ""
	}
	return choice + "\t" + description
}

// offerable reports whether all characters of a choice show.
func offerable(choice string) bool {
	return choice != "" && utf8.ValidString(choice) && !strings.ContainsFunc(choice, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Offer returns a function that always offers the same choices.
func Offer(choices []string, directive Directive) CompletionFunc {
	return func(*Command, []string, string) ([]string, Directive) { return choices, directive }
}

// offer prints the choices for the last word of a command line below the root c.
func (c *Command) offer(line []string, describe bool) error {
	if len(line) == 0 {
		return errors.New(completeWord + ": no command line, whose last word may be empty")
	}
	if cmd, i := c.external(line[:len(line)-1]); cmd != nil && cmd.Complete == nil {
		word := completeWord
		if !describe {
			word = completePlainWord
		}
		return cmd.External(append([]string{word}, slices.Delete(slices.Clone(line), i, i+1)...))
	}
	choices, directive, err := c.choices(line[:len(line)-1], line[len(line)-1])
	if err != nil {
		_, _ = io.WriteString(c.Err(), "[Error] "+strings.ReplaceAll(err.Error(), "\n", "\n  ")+"\n") // for people
	}
	describe = describe && c.describes()
	var b strings.Builder
	for _, choice := range choices {
		word, description, _ := strings.Cut(choice, "\t")
		if !offerable(word) {
			continue
		}
		b.WriteString(strings.TrimSpace(word))
		description, _, _ = strings.Cut(description, "\n")
		if description = strings.TrimSpace(description); description != "" && describe {
			b.WriteString("\t" + description)
		}
		b.WriteByte('\n')
	}
	b.WriteString(":" + strconv.Itoa(int(directive)) + "\n")
	if _, err := io.WriteString(c.Out(), b.String()); err != nil {
		return err
	}
	_, err = io.WriteString(c.Err(), "Completion ended with directive: "+directive.String()+"\n")
	return err
}

// describes reports whether descriptions are wanted: <PROGRAM>_COMPLETION_DESCRIPTIONS or
// COBRA_COMPLETION_DESCRIPTIONS can turn them off.
func (c *Command) describes() bool {
	for _, prefix := range []string{strings.ToUpper(c.Name()), "COBRA"} {
		if set := os.Getenv(prefix + "_COMPLETION_DESCRIPTIONS"); set != "" {
			wanted, err := strconv.ParseBool(set)
			return wanted || err != nil
		}
	}
	return true
}

// choices are the choices for the word typed, after args.
func (c *Command) choices(args []string, typed string) ([]string, Directive, error) {
	if cmd, i := c.external(args); cmd != nil {
		choices, directive := cmd.Complete(cmd, args[i+1:], typed)
		return choices, directive, nil
	}
	cmd, args := c.Find(args)
	cmd.addOwnFlags()
	flag, args, typed, unknown := cmd.valueOf(args, typed)
	words, err := cmd.parse(args)
	if err != nil {
		return nil, OfferFiles, err
	}
	// After "--" there are no more flags: another "--" would be a word.
	withOne, _ := cmd.parse(append(args[:len(args):len(args)], "--"))
	flags := len(withOne) == len(words)
	if flags {
		cmd.dash = 0
	}
	switch {
	case unknown != nil && flags:
		return nil, OfferFiles, unknown
	case cmd.help || cmd.version:
		return nil, NoFiles, nil
	case flag == nil && flags && strings.HasPrefix(typed, "-") && !strings.Contains(typed, "="):
		return cmd.flagChoices(typed), NoFiles, nil
	}
	var choices []string
	if flag == nil && len(words) == 0 && !anyChanged(cmd.local.flags) {
		choices = cmd.commandChoices(typed)
	}
	complete := cmd.Complete
	if flag != nil && flags {
		complete = flag.Complete
	}
	if complete == nil {
		return choices, NoFiles, nil
	}
	more, directive := complete(cmd, words, typed)
	return append(choices, more...), directive, nil
}

// valueOf finds the flag whose value is being typed, as "--name=typed" or after "--name";
// it is nil if there is none. It returns args without that flag, and typed without its
// name. It fails if cmd does not have the flag.
func (c *Command) valueOf(args []string, typed string) (*Flag, []string, string, error) {
	word, rest, value, joined := "", args, typed, false
	switch {
	case strings.HasPrefix(typed, "-"):
		if word, value, joined = strings.Cut(typed, "="); !joined {
			return nil, args, typed, nil // the name is being typed
		}
	case len(args) > 0:
		if last := args[len(args)-1]; !strings.Contains(last, "=") {
			word, rest = last, args[:len(args)-1]
		}
	}
	var f *Flag
	switch name, long := strings.CutPrefix(word, "--"); {
	case long && name == "", len(word) < 2 || word[0] != '-': // not a flag
		return nil, args, typed, nil
	case long:
		f = c.Flag(name)
	default: // the last of several letters takes the value
		f = c.shorthand(word[len(word)-1])
	}
	switch {
	case f == nil:
		return nil, args, typed, errors.New(c.Name() + ": no such flag: " + word)
	case !joined && f.alone():
		return nil, args, typed, nil
	}
	return f, rest, value, nil
}

func anyChanged(flags []*Flag) bool {
	for _, f := range flags {
		if f.Changed {
			return true
		}
	}
	return false
}

// flagChoices are the flags that begin with typed and were not given yet, those of the
// commands above first.
func (c *Command) flagChoices(typed string) (choices []string) {
	for _, f := range append(c.InheritedFlags(), c.OwnFlags()...) {
		if f.Hidden || f.Changed {
			continue
		}
		if name := "--" + f.Name; strings.HasPrefix(name, typed) {
			choices = append(choices, Described(name, f.Usage))
		}
		if name := "-" + f.Shorthand; f.Shorthand != "" && strings.HasPrefix(name, typed) {
			choices = append(choices, Described(name, f.Usage))
		}
	}
	return choices
}

func (c *Command) commandChoices(typed string) (choices []string) {
	c.addExternal()
	for _, cmd := range c.Commands() {
		if !cmd.Hidden && strings.HasPrefix(cmd.Name(), typed) {
			choices = append(choices, Described(cmd.Name(), cmd.Short))
		}
	}
	return choices
}
