package ctl_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
)

// runBeside runs the program providerctl-count, which counts the daemon's providers.
func runBeside(t *testing.T, variables map[string]string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := ctl.MainBeside(t.Context(), ctl.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err,
		Getenv: environment(variables), Version: "v1.2.3",
	}, func(s *ctl.Session) *command.Command {
		cmd := &command.Command{Use: "count [ID…]", Short: "Count the providers", Args: ctl.Args(0, 1), Complete: s.CompleteIDs(1)}
		strict := false
		cmd.Flags().BoolVar(&strict, "strict", false, "accept no empty list")
		cmd.Run = func(cmd *command.Command, words []string) error {
			reply, err := s.Client().Status(cmd.Context(), client.StatusQuery{IDs: words})
			switch {
			case err != nil:
				message, hint := s.Explain(err)
				s.Say("about to end: %s (%s)", message, hint)
				return err
			case strict && len(reply.Providers) == 0:
				return ctl.ErrNo
			}
			t := s.Terminal()
			_, err = fmt.Fprintf(s.Stdout(), "%d · colour %v, ASCII %v\n", len(reply.Providers), t.Color, t.ASCII)
			return err
		}
		return cmd
	})
	return result{out.String(), err.String(), code}
}

// A program beside providerctl has its flags, search, errors, hints and exit codes.
func TestMainBeside(t *testing.T) {
	status := map[string][]reply{"GET /api/providers/status": {rows(ollamaUp)}, "GET /api/providers/status?provider_id=nope": {refused(404, unknownID)}}
	for name, tc := range map[string]struct {
		args      string
		variables map[string]string
		code      int
		out, err  string
	}{
		"Run":              {"--socket SOCKET", nil, 0, "1 · colour false, ASCII false\n", ""},
		"FlagWithValue":    {"--socket=SOCKET --color=always", nil, 0, "1 · colour true, ASCII false\n", ""},
		"ByVariable":       {"--strict", map[string]string{"PROVIDERD_SOCKET": "SOCKET", "LANG": "C"}, 0, "1 - colour false, ASCII true\n", ""},
		"ProvidersError":   {"--socket SOCKET nope", nil, 5, "", "providerctl: about to end: no such provider: \"nope\" (see: providerctl --socket SOCKET status)\nproviderctl: no such provider: \"nope\"\nproviderctl: hint: see: providerctl --socket SOCKET status\n"},
		"UnknownFlag":      {"--stricter", nil, 2, "", "count: no such flag: --stricter\nproviderctl: hint: did you mean: --strict\n"},
		"UnexpectedWord":   {"a b", nil, 2, "", "count: unexpected argument \"b\"\nproviderctl: hint: usage: providerctl count [ID…] [flags]\n"},
		"NotOtherCommands": {"status --wide", nil, 2, "", "count: no such flag: --wide"},
		"Help":             {"--help", nil, 0, "Usage:\n  providerctl count [ID…] [flags]\n", ""},
		"Version":          {"--version", nil, 0, "providerctl-count v1.2.3 (", ""},
		"CompleteFlag":     {"__complete --socket SOCKET --str", nil, 0, "--strict\taccept no empty list\n:4\n", "NoFileComp"},
		"CompleteID":       {"__complete --socket SOCKET o", nil, 0, "ollama\tRUNNING\n:4\n", "NoFileComp"},
		"CompletePlain":    {"__completeNoDesc --col", nil, 0, "--color\n:4\n", "NoFileComp"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, status)
			named := strings.NewReplacer("SOCKET", d.socket)
			variables := map[string]string{}
			for name, value := range tc.variables {
				variables[name] = named.Replace(value)
			}
			runBeside(t, variables, strings.Fields(named.Replace(tc.args))...).want(t, tc.code, named.Replace(tc.out), named.Replace(tc.err))
		})
	}
}
