// Package command is the base of both programs' command lines: a tree of commands,
// their flags, their help, and what the shells complete.
//
// It exists because providerctl has to start faster than the daemon answers;
// docs/decisions/providerctl-start.md has what libraries cost. The programs were built
// on one of them, cobra. To whoever types a command this package behaves as cobra
// does, and scripts for shells that cobra wrote go on working. To whoever writes a command
// it looks much like cobra, without what no command here needs.
//
// It imports little, and only of the standard library: no net, regexp or text/template.
package command

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
)

// A Command is one command, or a group of them. One that is above all others is a
// root, and stands for the program.
type Command struct {
	Use        string   // its name, and its arguments as people write them: "wait ID"
	Short      string   // what lists say of it, in one line
	Long       string   // what its help says; empty: Short
	Example    string   // command lines, each indented by two blanks
	Aliases    []string // other words that call it
	SuggestFor []string // what other programs call it, the best first
	Hidden     bool     // from lists

	// Args checks the arguments; nil takes any.
	Args func(cmd *Command, args []string) error
	// PreRun runs before Run, of this command and of those below that have none.
	PreRun func(cmd *Command, args []string) error
	// Run does the work; nil shows the help.
	Run func(cmd *Command, args []string) error
	// Complete offers arguments; nil offers none.
	Complete CompletionFunc

	// What follows is the root's, for all below it.

	Version  func() string                            // the line of --version; nil: there is no such flag
	Stdout   io.Writer                                // nil: that of the process
	Stderr   io.Writer                                // nil: that of the process
	ASCII    bool                                     // help has to do with it
	Columns  func() int                               // of the screen that help is shown on; nil, and 0: any number
	BadFlag  func(cmd *Command, err error) error      // says in the program's words what is wrong with a flag; nil: err
	NotFound func(parent *Command, word string) error // refuses a word that is no command below parent
	NoHelp   func(parent *Command, word string) error // … of which help was asked; nil: NotFound

	ctx           context.Context // of the run
	parent        *Command        // nil of a root
	commands      []*Command      // those below
	local         FlagSet         // flags of its own
	passed        FlagSet         // flags of its own and of those below
	long          func() string   // Long, where that is costly
	help, version bool            // are asked for
	dash          int             // how many words stood before "--", and one; 0: there was none
}

// Dash is how many of the arguments stood before "--"; −1 without one.
func (c *Command) Dash() int { return c.dash - 1 }

// AddCommand puts commands below c.
func (c *Command) AddCommand(commands ...*Command) {
	for _, cmd := range commands {
		cmd.parent = c
	}
	c.commands = append(c.commands, commands...)
}

// Commands are the commands directly below, in the order of their names.
func (c *Command) Commands() []*Command {
	return slices.SortedFunc(slices.Values(c.commands), func(a, b *Command) int { return cmp.Compare(a.Name(), b.Name()) })
}

// HasSubCommands reports whether there are commands below c.
func (c *Command) HasSubCommands() bool { return len(c.commands) > 0 }

// HasParent reports whether c is no root.
func (c *Command) HasParent() bool { return c.parent != nil }

// Root is the command above all others.
func (c *Command) Root() *Command {
	for c.parent != nil {
		c = c.parent
	}
	return c
}

// Name is the word that calls c.
func (c *Command) Name() string {
	name, _, _ := strings.Cut(c.Use, " ")
	return name
}

// CommandPath is the words that call c, the program's name first.
func (c *Command) CommandPath() string {
	if c.parent == nil {
		return c.Name()
	}
	return c.parent.CommandPath() + " " + c.Name()
}

// UseLine is how c is called, with its arguments.
func (c *Command) UseLine() string {
	line := c.Use
	if c.parent != nil {
		line = c.parent.CommandPath() + " " + c.Use
	}
	return line + " [flags]"
}

// Context is that of the run.
func (c *Command) Context() context.Context { return c.Root().ctx }

// Out is where data goes.
func (c *Command) Out() io.Writer {
	if w := c.Root().Stdout; w != nil {
		return w
	}
	return os.Stdout
}

// Err is where talk goes.
func (c *Command) Err() io.Writer {
	if w := c.Root().Stderr; w != nil {
		return w
	}
	return os.Stderr
}

// Execute finds the command that args name below the root c, and runs it.
func (c *Command) Execute(ctx context.Context, args []string) error {
	c.ctx = ctx
	if i := c.firstWord(args); i >= 0 && (args[i] == completeWord || args[i] == completePlainWord) {
		return c.offer(slices.Delete(slices.Clone(args), i, i+1), args[i] == completeWord)
	}
	cmd, rest := c.Find(args)
	return cmd.execute(rest)
}

// execute runs c with what is left of the command line.
func (c *Command) execute(args []string) error {
	c.addOwnFlags()
	words, err := c.parse(args)
	switch {
	case err != nil && c.HasSubCommands() && len(words) > 0: // the command is mistyped, not the flag
		return c.notFound(words[0])
	case err != nil:
		return c.badFlag(err)
	case (c.help || c.version) && c.HasSubCommands() && len(words) > 0 && c.child(words[0]) == nil: // it is of no command
		return c.notFound(words[0])
	case c.help:
		return c.Help()
	case c.version:
		_, err := io.WriteString(c.Out(), c.Version()+"\n")
		return err
	}
	if err := c.check(words); err != nil {
		return err
	}
	if c.Run == nil {
		return c.Help()
	}
	for above := c; above != nil; above = above.parent {
		if above.PreRun != nil {
			if err := above.PreRun(c, words); err != nil {
				return err
			}
			break
		}
	}
	return c.Run(c, words)
}

// check refuses arguments that c does not take.
func (c *Command) check(words []string) error {
	switch {
	case c.Args != nil:
		return c.Args(c, words)
	case c.HasSubCommands() && len(words) > 0:
		return c.notFound(words[0])
	}
	return nil
}

// addOwnFlags gives c the flag that every command has and, to a root, --version.
func (c *Command) addOwnFlags() {
	if c.local.Lookup("help") != nil {
		return
	}
	c.local.BoolVarP(&c.help, "help", "h", false, "help for "+c.Name())
	if c.Version != nil {
		c.local.BoolVarP(&c.version, "version", "v", false, "version for "+c.Name())
		c.local.VarP(variable[bool]{&c.version, &truth}, "V", "V", "").Hidden = true // as many programs have it
	}
}

func (c *Command) badFlag(err error) error {
	if say := c.Root().BadFlag; say != nil {
		return say(c, err)
	}
	return err
}

func (c *Command) notFound(word string) error {
	if refuse := c.Root().NotFound; refuse != nil {
		return refuse(c, word)
	}
	return errors.New("no such command: " + c.CommandPath() + " " + word)
}

// Find returns the command below c that the words among args name, and args without
// those words. Flags may stand between them.
func (c *Command) Find(args []string) (*Command, []string) {
	for {
		i := c.firstWord(args)
		if i < 0 {
			return c, args
		}
		next := c.child(args[i])
		if next == nil {
			return c, args
		}
		c, args = next, slices.Delete(slices.Clone(args), i, i+1)
	}
}

func (c *Command) child(name string) *Command {
	for _, cmd := range c.commands {
		if cmd.Name() == name || slices.Contains(cmd.Aliases, name) {
			return cmd
		}
	}
	return nil
}

// firstWord is where the first of args stands that is neither a flag nor the value of
// one; −1 if there is none. A flag that c does not have is taken for one of a command
// below, and for one that takes a value.
func (c *Command) firstWord(args []string) int {
	for i := 0; i < len(args); i++ {
		switch word := args[i]; {
		case word == "--":
			return -1
		case c.takesNext(word):
			i++
		case word != "" && word[0] != '-':
			return i
		}
	}
	return -1
}

// takesNext reports whether a word is a flag with its value in the next word.
func (c *Command) takesNext(word string) bool {
	switch {
	case word == "-h" || word == "--help": // which every command has
		return false
	case strings.Contains(word, "="):
		return false
	case strings.HasPrefix(word, "--"):
		f := c.Flag(word[2:])
		return f == nil || !f.alone()
	case len(word) == 2 && word[0] == '-':
		f := c.shorthand(word[1])
		return f == nil || !f.alone()
	}
	return false
}
