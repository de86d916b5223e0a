package ctl

import (
	"io"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// answersYesOrNo gives a command that answers by its exit code the flag -q. With it
// neither a yes nor a no is printed. What keeps the command from an answer is still said
// on stderr, so that whoever keeps it, as container runtimes do, can read why.
// It is called when the command's Run is set.
func (a *app) answersYesOrNo(cmd *command.Command) *command.Command {
	var quiet bool
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing: the exit code answers")
	answer := cmd.Run
	cmd.Run = func(cmd *command.Command, words []string) error {
		if quiet {
			out, talk, data := a.Stdout, a.Stderr, a.data
			a.Stdout, a.Stderr, a.data = io.Discard, io.Discard, provider.NewTextWriter(io.Discard)
			defer func() { a.Stdout, a.Stderr, a.data = out, talk, data }()
		}
		return answer(cmd, words)
	}
	return cmd
}
