package command

import (
	_ "embed" // the scripts
	"io"
	"strings"
)

// AddBuiltin gives a root the commands help and completion.
func (c *Command) AddBuiltin() {
	help := &Command{
		Use:   "help [command]",
		Short: "Help about any command",
		Long: `Help provides help for any command in the application.
Simply type ` + c.Name() + ` help [path to command] for full details.`,
		Run: func(_ *Command, topic []string) error {
			cmd, rest := c.Find(topic)
			if cmd.HasSubCommands() && len(rest) > 0 {
				return cmd.notFound(rest[0])
			}
			return cmd.Help()
		},
		Complete: func(_ *Command, topic []string, typed string) ([]string, Directive) {
			cmd, _ := c.Find(topic)
			return cmd.commandChoices(typed), NoFiles
		},
	}
	completion := &Command{
		Use:   "completion",
		Short: "Generate the autocompletion script for the specified shell",
		Long: `Generate the autocompletion script for ` + c.Name() + ` for the specified shell.
See each sub-command's help for details on how to use the generated script.`,
	}
	for _, s := range shells {
		completion.AddCommand(s.command(c.Name()))
	}
	c.AddCommand(help, completion)
}

// A shell is one that completes the programs' command lines.
type shell struct {
	name   string
	title  string // in the help
	load   string // how the script is put to use; the program's name is "programname"
	script string // what cobra 1.10.2 writes for a program of that name; © 2013–2023 The Cobra Authors, Apache-2.0
	bare   bool   // its usage has no "[flags]"
}

//go:embed scripts/bash
var bashScript string

//go:embed scripts/zsh
var zshScript string

//go:embed scripts/fish
var fishScript string

//go:embed scripts/powershell
var powershellScript string

var shells = []shell{
	{name: "bash", title: "the bash shell", script: bashScript, bare: true, load: `
This script depends on the 'bash-completion' package.
If it is not installed already, you can install it via your OS's package manager.

To load completions in your current shell session:

	source <(programname completion bash)

To load completions for every new session, execute once:

#### Linux:

	programname completion bash > /etc/bash_completion.d/programname

#### macOS:

	programname completion bash > $(brew --prefix)/etc/bash_completion.d/programname

You will need to start a new shell for this setup to take effect.`},
	{name: "zsh", title: "the zsh shell", script: zshScript, load: `
If shell completion is not already enabled in your environment you will need
to enable it.  You can execute the following once:

	echo "autoload -U compinit; compinit" >> ~/.zshrc

To load completions in your current shell session:

	source <(programname completion zsh)

To load completions for every new session, execute once:

#### Linux:

	programname completion zsh > "${fpath[1]}/_programname"

#### macOS:

	programname completion zsh > $(brew --prefix)/share/zsh/site-functions/_programname

You will need to start a new shell for this setup to take effect.`},
	{name: "fish", title: "the fish shell", script: fishScript, load: `
To load completions in your current shell session:

	programname completion fish | source

To load completions for every new session, execute once:

	programname completion fish > ~/.config/fish/completions/programname.fish

You will need to start a new shell for this setup to take effect.`},
	{name: "powershell", title: "powershell", script: powershellScript, load: `
To load completions in your current shell session:

	programname completion powershell | Out-String | Invoke-Expression

To load completions for every new session, add the output of the above command
to your powershell profile.`},
}

// command is the one that writes the shell's script for a program.
func (s shell) command(program string) *Command {
	plain := false
	cmd := &Command{
		Use:   s.name,
		Short: "Generate the autocompletion script for " + s.name,
		long: func() string {
			return "Generate the autocompletion script for " + s.title + ".\n" + named(s.load, program)
		},
		Args: func(cmd *Command, words []string) error {
			if len(words) > 0 {
				return cmd.notFound(words[0])
			}
			return nil
		},
		Run: func(cmd *Command, _ []string) error {
			script := named(s.script, program)
			if plain {
				script = strings.ReplaceAll(script, " "+completeWord+" ", " "+completePlainWord+" ")
			}
			_, err := io.WriteString(cmd.Out(), script)
			return err
		},
		bare: s.bare,
	}
	cmd.local.BoolVar(&plain, "no-descriptions", false, "disable completion descriptions")
	return cmd
}

// named puts a program's name into a text for the program of the name "programname".
func named(text, program string) string {
	const column = 36 // where the first line of a script goes on
	return strings.NewReplacer(padded("programname", column), padded(program, column),
		"programname", program, "PROGRAMNAME", strings.ToUpper(program)).Replace(text)
}
