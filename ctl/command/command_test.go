package command_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl/command"
)

// A run is the result of a command line.
type run struct {
	out, err bytes.Buffer
	did      string // the command that ran, its words and its flags
	failed   error
}

// execute runs args below a program with a bit of everything.
func execute(t *testing.T, args ...string) *run {
	t.Helper()
	r := &run{}
	var (
		socket, format string
		quiet, user    bool
		lines          int
		since          uint64
		wait           time.Duration
	)
	did := func(cmd *command.Command, words []string) error {
		r.did = strings.TrimSpace(fmt.Sprintf("%s %q", cmd.CommandPath(), words))
		for _, f := range cmd.AllFlags() {
			if f.Changed {
				r.did += " " + f.Name + "=" + f.Value.String()
			}
		}
		return nil
	}
	root := &command.Command{
		Use: "p", Short: "Do things", Stdout: &r.out, Stderr: &r.err,
		Version: func() string { return "p v1" },
	}
	root.PersistentFlags().StringVar(&socket, "socket", "", "`path` of the socket").Complete = command.Offer(nil, command.OfferFiles)
	get := &command.Command{
		Use: "get [ID…]", Short: "Get them", Long: "Get them, one by one.\n", Example: "  p get a", SuggestFor: []string{"fetch"}, Run: did,
		Complete: func(_ *command.Command, words []string, typed string) ([]string, command.Directive) {
			return []string{command.Described("one:"+strings.Join(words, "+"), "the first"), command.Described("two", "of\nseveral lines"), "three\t"}, command.NoFiles
		},
	}
	flags := get.Flags()
	flags.StringVarP(&format, "output", "o", "table", "format of the output").Complete = command.Offer([]string{"table", "json"}, command.NoFiles)
	flags.BoolVarP(&quiet, "quiet", "q", false, "print nothing")
	flags.IntVarP(&lines, "lines", "n", 0, "how many")
	flags.Uint64Var(&since, "since", 0, "from there on")
	flags.DurationVar(&wait, "wait", 5*time.Second, "how long")
	flags.BoolVar(new(bool), "secret", false, "nobody knows").Hidden = true
	group := &command.Command{Use: "config", Short: "Look at the configuration", PreRun: func(*command.Command, []string) error {
		if user {
			return errors.New("not for users")
		}
		return nil
	}}
	group.PersistentFlags().BoolVar(&user, "user", false, "that of the user")
	group.AddCommand(&command.Command{Use: "show", Short: "Show it", Run: did}, &command.Command{Use: "check FILE", Short: "Check it", Run: did})
	root.AddCommand(get, group, &command.Command{Use: "hidden", Short: "Hide", Hidden: true, Run: did})
	root.AddBuiltin()
	r.failed = root.Execute(t.Context(), args)
	return r
}

// Flags and words can be in any order, with every way of writing a flag.
func TestExecute(t *testing.T) {
	for args, want := range map[string]string{
		"get":                         `p get []`,
		"get a b":                     `p get ["a" "b"]`,
		"get a -q b":                  `p get ["a" "b"] quiet=true`,
		"get --output json":           `p get [] output=json`,
		"get --output=json":           `p get [] output=json`,
		"get --output=":               `p get [] output=`,
		"get --output=a=b":            `p get [] output=a=b`,
		"get -o json":                 `p get [] output=json`,
		"get -ojson":                  `p get [] output=json`,
		"get -o=json":                 `p get [] output=json`,
		"get -o --quiet":              `p get [] output=--quiet`,
		"get -qojson":                 `p get [] output=json quiet=true`,
		"get -qn5":                    `p get [] lines=5 quiet=true`,
		"get -qn 5 a":                 `p get ["a"] lines=5 quiet=true`,
		"get -n -3":                   `p get [] lines=-3`,
		"get -n 1 -n 2":               `p get [] lines=2`,
		"get --since 0x10 --wait 90s": `p get [] since=16 wait=1m30s`,
		"get -q=false":                `p get [] quiet=false`,
		"get --quiet=0":               `p get [] quiet=false`,
		"get --quiet false":           `p get ["false"] quiet=true`,
		"get -- -q --output":          `p get ["-q" "--output"]`,
		"get - a":                     `p get ["-" "a"]`,
		"get get":                     `p get ["get"]`,
		"--socket x get a":            `p get ["a"] socket=x`,
		"--socket get get a":          `p get ["a"] socket=get`,
		"--socket=x get a --socket y": `p get ["a"] socket=y`,
		"-o json get a":               `p get ["a"] output=json`,
		"--output json get":           `p get [] output=json`,
		"config show":                 `p config show []`,
		"config --socket x show":      `p config show [] socket=x`,
		"config --user=false check a": `p config check ["a"] user=false`,
		"--user=false config check a": `p config check ["a"] user=false`,
		"hidden":                      `p hidden []`,
		"get --socket=x a -- b -o":    `p get ["a" "b" "-o"] socket=x`,
	} {
		t.Run(args, func(t *testing.T) {
			if r := execute(t, strings.Fields(args)...); r.failed != nil || r.did != want {
				t.Errorf("did %s (%v), want %s", r.did, r.failed, want)
			}
		})
	}
	if r := execute(t, "", "get", "", "a"); r.failed != nil || r.did != `p get ["" "" "a"]` {
		t.Errorf("empty words: did %s (%v)", r.did, r.failed)
	}
}

// A mistake is reported, and nothing runs.
func TestExecute_Errors(t *testing.T) {
	for args, want := range map[string]string{
		"gte":                "no such command: p gte",
		"gte --xyzzy":        "no such command: p gte", // the command is at fault, and not its flag
		"config shwo -x":     "no such command: p config shwo",
		"gte --help":         "no such command: p gte",
		"--help gte":         "no such command: p gte",
		"gte -h":             "no such command: p gte",
		"gte --version":      "no such command: p gte",
		"-V gte":             "no such command: p gte",
		"config shwo --help": "no such command: p config shwo",
		"config show --user": "not for users",
		"--xyzzy":            "no such flag: --xyzzy",
		"get --xyzzy=1":      "no such flag: --xyzzy",
		"get -qx":            "no such flag: -x",
		"get -qé":            "no such flag: -é",
		"get --out json":     "no such flag: --out", // no abbreviations
		"get --=x":           "bad flag syntax: --=x",
		"get ---q":           "bad flag syntax: ---q",
		"get -q=":            "no such flag: -=",
		"get -n":             "--lines needs a value",
		"get --wait":         "--wait needs a value",
		"get -n x":           `--lines: strconv.ParseInt: parsing "x": invalid syntax`,
		"get --since -1":     `--since: strconv.ParseUint: parsing "-1": invalid syntax`,
		"get --wait 5":       `--wait: time: missing unit in duration "5"`,
		"get --quiet=maybe":  `--quiet: strconv.ParseBool: parsing "maybe": invalid syntax`,
		"get --user":         "no such flag: --user",
		"help gte":           "no such command: p gte",
		"completion bahs":    "no such command: p completion bahs",
		"completion bash x":  "no such command: p completion bash x",
	} {
		t.Run(args, func(t *testing.T) {
			r := execute(t, strings.Fields(args)...)
			if r.failed == nil || r.failed.Error() != want || r.did != "" || r.out.Len() > 0 {
				t.Errorf("error %v, want %s; did %q; printed %q", r.failed, want, r.did, &r.out)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	const root = `Do things

Usage:
  p [flags]
  p [command]

Available Commands:
  completion  Print a completion script for a shell
  config      Look at the configuration
  get         Get them
  help        Show help for a command

Flags:
  -h, --help          help for p
      --socket path   path of the socket
  -v, --version       version for p

Use "p [command] --help" for more information about a command.
`
	const get = `Get them, one by one.

Usage:
  p get [ID…] [flags]

Examples:
  p get a

Flags:
  -h, --help            help for get
  -n, --lines int       how many
  -o, --output string   format of the output (default "table")
  -q, --quiet           print nothing
      --since uint      from there on
      --wait duration   how long (default 5s)

Global Flags:
      --socket path   path of the socket
`
	const show = `Show it

Usage:
  p config show [flags]

Flags:
  -h, --help   help for show

Global Flags:
      --socket path   path of the socket
      --user          that of the user
`
	const config = `Look at the configuration

Usage:
  p config [flags]
  p config [command]

Available Commands:
  check       Check it
  show        Show it

Flags:
  -h, --help   help for config
      --user   that of the user

Global Flags:
      --socket path   path of the socket

Use "p config [command] --help" for more information about a command.
`
	for args, want := range map[string]string{
		"": root, "--help": root, "-h": root, "help": root,
		"get --help": get, "get a -n 3 -h": get, "help get": get, "--help get": get, "-h --socket s get": get,
		"config": config, "config -h": config, "help config": config,
		"config show --help": show, "help config show": show, "config show --user --help": show,
		"--version": "p v1\n", "-v": "p v1\n", "-V": "p v1\n",
	} {
		t.Run(args, func(t *testing.T) {
			r := execute(t, strings.Fields(args)...)
			if diff := cmp.Diff(want, r.out.String()); diff != "" || r.failed != nil || r.err.Len() > 0 {
				t.Errorf("%v, stderr %q\n%s", r.failed, &r.err, diff)
			}
		})
	}
}

// A program would be built with them, and its user would meet them.
func TestFlags_TwoOfOneNamePanic(t *testing.T) {
	for name, again := range map[string]func(*command.FlagSet){
		"Name":      func(s *command.FlagSet) { s.BoolVar(new(bool), "quiet", false, "") },
		"Shorthand": func(s *command.FlagSet) { s.BoolVarP(new(bool), "quick", "q", false, "") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it is taken")
				}
			}()
			var s command.FlagSet
			s.BoolVarP(new(bool), "quiet", "q", false, "")
			again(&s)
		})
	}
}

func TestFind(t *testing.T) {
	root := &command.Command{Use: "p"}
	sub := &command.Command{Use: "a"}
	sub.AddCommand(&command.Command{Use: "b X"})
	root.AddCommand(sub)
	args := []string{"-x", "v", "a", "--", "b"}
	cmd, rest := root.Find(args)
	if cmd != sub || !slices.Equal(rest, []string{"-x", "v", "--", "b"}) || args[2] != "a" {
		t.Errorf("found %s with %q, of %q", cmd.CommandPath(), rest, args)
	}
}
