// Package command is the base of both programs' command lines: a tree of commands,
// their flags, their help, and what the shells complete.
//
// It exists because providerctl has to start faster than the daemon answers;
// docs/decisions/providerctl-start.md has the cost of libraries. The programs were once
// built on one of them, cobra. On the command line this package behaves like cobra, and
// completion scripts that cobra wrote still work. In code it looks much like cobra, without
// what no command here needs.
//
// It imports little, and only from the standard library: no net, regexp or text/template.
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

// A Command is one command, or a group of them, or both: with Args, words that are not commands
// of the group are its arguments. The one above all others is the root,
// which is the program itself.
type Command struct {
	Use        string   // its name, and its arguments as people write them: "wait ID"
	Short      string   // its description in lists, on one line
	Long       string   // its description in its help; empty: Short
	Example    string   // command lines, each indented by two spaces
	Aliases    []string // other names
	SuggestFor []string // other programs' names for it, the best first
	Hidden     bool     // from lists

	// Args checks the arguments; nil accepts any.
	Args func(cmd *Command, args []string) error
	// PreRun runs before Run, for this command and those below that have none.
	PreRun func(cmd *Command, args []string) error
	// Run does the work; nil shows the help.
	Run func(cmd *Command, args []string) error
	// Complete offers arguments; nil offers none.
	Complete CompletionFunc

	// External, if it is not nil, runs another program in place of all of the above. Its
	// args are the command line without the command's name, and are not parsed. Complete, if it
	// is not nil, completes the arguments; otherwise the program does.
	External func(args []string) error

	// The rest is of the root, for all commands below it.

	Version  func() string                            // the line of --version; nil: there is no such flag
	Stdout   io.Writer                                // nil: the process's
	Stderr   io.Writer                                // nil: the process's
	ASCII    bool                                     // help has to be ASCII
	Columns  func() int                               // width of the screen that shows help; nil, and 0: any
	BadFlag  func(cmd *Command, err error) error      // words an error about a flag; nil: err as it is
	NotFound func(parent *Command, word string) error // the error for a word that is not a command below parent
	NoHelp   func(parent *Command, word string) error // the same for help about it; nil: NotFound

	// Beside returns external commands: the one with that name or, if the name is empty, all.
	// It is called only for a word that is not a command, for help, and for completion, because
	// it takes time to look for programs.
	Beside func(name string) []*Command

	ctx           context.Context // of the run
	parent        *Command        // nil for a root
	commands      []*Command      // directly below
	local         FlagSet         // its own flags
	passed        FlagSet         // its own flags, also for the commands below
	long          func() string   // Long, if it is costly
	help, version bool            // requested
	dash          int             // one more than the words before "--"; 0: there was no "--"
}

// Dash is how many of the arguments were before "--"; −1 without one.
func (c *Command) Dash() int { return c.dash - 1 }

// AddCommand adds commands below c.
func (c *Command) AddCommand(commands ...*Command) {
	for _, cmd := range commands {
		cmd.parent = c
	}
	c.commands = append(c.commands, commands...)
}

// Commands are the commands directly below c, sorted by name.
func (c *Command) Commands() []*Command {
	return slices.SortedFunc(slices.Values(c.commands), func(a, b *Command) int { return cmp.Compare(a.Name(), b.Name()) })
}

// HasSubCommands reports whether there are commands below c.
func (c *Command) HasSubCommands() bool { return len(c.commands) > 0 }

// HasParent reports whether c is not a root.
func (c *Command) HasParent() bool { return c.parent != nil }

// Root is the command above all others.
func (c *Command) Root() *Command {
	for c.parent != nil {
		c = c.parent
	}
	return c
}

// Name is the name of c.
func (c *Command) Name() string {
	name, _, _ := strings.Cut(c.Use, " ")
	return name
}

// CommandPath is the words before the arguments of c, the program's name first.
func (c *Command) CommandPath() string {
	if c.parent == nil {
		return c.Name()
	}
	return c.parent.CommandPath() + " " + c.Name()
}

// UseLine is how to call c, with its arguments.
func (c *Command) UseLine() string {
	line := c.Use
	if c.parent != nil {
		line = c.parent.CommandPath() + " " + c.Use
	}
	return line + " [flags]"
}

// Context is the context of the run.
func (c *Command) Context() context.Context { return c.Root().ctx }

// Out is the writer for data.
func (c *Command) Out() io.Writer {
	if w := c.Root().Stdout; w != nil {
		return w
	}
	return os.Stdout
}

// Err is the writer for messages.
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
	if cmd, i := c.external(args); cmd != nil {
		c.addOwnFlags()
		if _, err := c.parse(args[:i]); err != nil {
			return c.badFlag(err)
		}
		return cmd.External(slices.Delete(slices.Clone(args), i, i+1))
	}
	cmd, rest := c.Find(args)
	return cmd.execute(rest)
}

// ExecuteAlone runs c, the only command of its root that the program has. Args do not name it.
func (c *Command) ExecuteAlone(ctx context.Context, args []string) error {
	root := c.Root()
	root.ctx = ctx
	if len(args) > 1 && (args[0] == completeWord || args[0] == completePlainWord) {
		return root.offer(append([]string{c.Name()}, args[1:]...), args[0] == completeWord)
	}
	cmd, rest := c.Find(args)
	return cmd.execute(rest)
}

// execute runs c with the rest of the command line.
func (c *Command) execute(args []string) error {
	c.addOwnFlags()
	words, err := c.parse(args)
	switch {
	case err != nil && c.Args == nil && c.HasSubCommands() && len(words) > 0: // the command is mistyped, not the flag
		return c.notFound(words[0])
	case err != nil:
		return c.badFlag(err)
	case (c.help || c.version) && c.Args == nil && c.HasSubCommands() && len(words) > 0 && c.child(words[0]) == nil: // of a word that is not a command
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

// check refuses arguments that c does not accept.
func (c *Command) check(words []string) error {
	switch {
	case c.Args != nil:
		return c.Args(c, words)
	case c.HasSubCommands() && len(words) > 0:
		return c.notFound(words[0])
	}
	return nil
}

// addOwnFlags adds the flag that every command has and, to a root, --version.
func (c *Command) addOwnFlags() {
	if c.local.Lookup("help") != nil {
		return
	}
	c.local.BoolVarP(&c.help, "help", "h", false, "help for "+c.Name())
	if c.Version != nil {
		c.local.BoolVarP(&c.version, "version", "v", false, "version for "+c.Name())
		c.local.VarP(variable[bool]{&c.version, &truth}, "V", "V", "").Hidden = true // as in many programs
	}
}

func (c *Command) badFlag(err error) error {
	if say := c.Root().BadFlag; say != nil {
		return say(c, err)
	}
	return err
}

func (c *Command) notFound(word string) error {
	c.addExternal()
	if refuse := c.Root().NotFound; refuse != nil {
		return refuse(c, word)
	}
	return errors.New("no such command: " + c.CommandPath() + " " + word)
}

// Find returns the command below c that the words among args name, and args without those
// words. There can be flags between them.
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

// firstWord is the index of the first of args that is neither a flag nor the value of one;
// −1 if there is none. A flag that c does not have is assumed to be of a command below,
// and to take a value.
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

// takesNext reports whether a word is a flag whose value is the next word.
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
