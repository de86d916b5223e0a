package command

import (
	_ "embed" // the scripts
	"io"
	"strings"
)

// AddBuiltin adds the commands help and completion to a root.
func (c *Command) AddBuiltin() {
	help := &Command{
		Use:   "help [command]",
		Short: "Show help for a command",
		Run: func(_ *Command, topic []string) error {
			cmd, rest := c.Find(topic)
			if len(rest) > 0 && cmd == c {
				if other := c.beside(rest[0]); other != nil {
					return other.External([]string{"--help"})
				}
			}
			switch refuse := c.NoHelp; {
			case len(rest) > 0 && refuse != nil:
				return refuse(cmd, rest[0])
			case len(rest) > 0:
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
		Short: "Print a completion script for a shell",
		Long: `Print a completion script for a shell, which completes the command lines of ` + c.Name() + `.
The help of each shell says how to load it.`,
	}
	for _, s := range shells {
		completion.AddCommand(s.command(c.Name()))
	}
	c.AddCommand(help, completion)
}

// A shell is one that can complete the programs' command lines.
type shell struct {
	name, title  string // the title is for people
	load, script string // how to load the script, and the script; "programname" in them stands for the program's name
}

//go:embed scripts/completion.bash
var bashScript string

//go:embed scripts/completion.zsh
var zshScript string

//go:embed scripts/completion.fish
var fishScript string

//go:embed scripts/completion.ps1
var powershellScript string

var shells = []shell{
	{name: "bash", title: "bash", script: bashScript, load: `
For the current shell:

	source <(programname completion bash)

For every new shell, put that line into ~/.bashrc. Or, if the package
bash-completion is installed:

	mkdir -p ~/.local/share/bash-completion/completions
	programname completion bash > ~/.local/share/bash-completion/completions/programname

The bash of macOS, 3.2, cannot source <(…):

	eval "$(programname completion bash)"`},
	{name: "zsh", title: "zsh", script: zshScript, load: `
For the current shell:

	autoload -U compinit && compinit
	source <(programname completion zsh)

For every new shell, put those lines into ~/.zshrc. Or write the script to a folder
of $fpath, as a file with an underscore before the program's name:

	programname completion zsh > "${fpath[1]}/_programname"`},
	{name: "fish", title: "fish", script: fishScript, load: `
For the current shell:

	programname completion fish | source

For every new shell:

	programname completion fish > ~/.config/fish/completions/programname.fish`},
	{name: "powershell", title: "PowerShell", script: powershellScript, load: `
For the current shell:

	programname completion powershell | Out-String | Invoke-Expression

For every new shell, put that line into the file that $PROFILE names.`},
}

// command is the one that prints the shell's script for a program.
func (s shell) command(program string) *Command {
	plain := false
	cmd := &Command{
		Use:   s.name,
		Short: "Print the completion script for " + s.title,
		long: func() string {
			return "Print the script that completes the command lines of " + program + " in " + s.title + ".\n" + named(s.load, program)
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
	}
	cmd.local.BoolVar(&plain, "no-descriptions", false, "complete without descriptions")
	return cmd
}

// named puts a program's name into a text in place of "programname".
func named(text, program string) string { return strings.ReplaceAll(text, "programname", program) }
