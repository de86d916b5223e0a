package ctl

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// maxMeant is how many command lines are suggested at most.
const maxMeant = 3

// daemonCommand is the command of providerd that was meant by a word that is not a command
// of providerctl; empty if there is none.
func daemonCommand(word string) string {
	switch word {
	case "install", "uninstall":
		return "providerd service " + word
	case "service":
		return "providerd service status"
	case "init", "edit":
		return "providerd config " + word
	case "config":
		return "providerd config show"
	case "serve", "daemon":
		return "providerd"
	}
	return ""
}

// daemonWords are those words, without other programs' words for them.
var daemonWords = []string{"install", "uninstall", "service", "config"}

// flagWords are words that other programs have for a flag.
var flagWords = []struct{ word, flag string }{
	{"debug", "log-level"}, {"format", "output"}, {"follow", "watch"}, {"silent", "quiet"}, {"tail", "follow"}, {"verbose", "log-level"}, {"watch", "follow"},
}

// Commands is the tree of providerctl's commands, for callers that name or describe them.
func Commands() *command.Command {
	a := &app{Env: Env{Stdout: io.Discard, Stderr: io.Discard, Getenv: func(string) string { return "" }}, client: &client.Client{}}
	a.writeText()
	return a.rootCommand()
}

// CommandHint is what to type instead of a word that is not a command. Of the commands
// directly below the parents it offers those with this name in any case, else those that
// list the word in SuggestFor, else those with a similar name; if there are none, it
// returns otherwise.
func CommandHint(typed, otherwise string, parents ...*command.Command) string {
	var named, called, near []string
	var names []string
	paths := map[string][]string{}
	for _, parent := range parents {
		for _, cmd := range parent.Commands() {
			name, path := cmd.Name(), cmd.CommandPath()
			if cmd.Hidden {
				continue
			}
			names = append(names, name)
			paths[name] = append(paths[name], path)
			if slices.ContainsFunc(append(cmd.Aliases, name), func(word string) bool { return strings.EqualFold(word, typed) }) {
				named = append(named, path)
			}
		}
		called = append(called, calledBelow(parent, strings.ToLower(typed))...)
	}
	for _, name := range provider.Nearest(typed, names) {
		near = append(near, paths[name]...)
	}
	for _, lines := range [][]string{named, called, near} {
		if len(lines) > 0 {
			return didYouMean(lines, otherwise)
		}
	}
	return otherwise
}

// calledBelow are the command lines of the commands below parent that have the word in
// their SuggestFor. The earlier it is there, the better it fits.
func calledBelow(parent *command.Command, word string) (lines []string) {
	rank := func(cmd *command.Command) int { return slices.Index(cmd.SuggestFor, word) }
	commands := slices.SortedStableFunc(slices.Values(parent.Commands()), func(a, b *command.Command) int { return cmp.Compare(rank(a), rank(b)) })
	for _, cmd := range commands {
		if rank(cmd) >= 0 {
			lines = append(lines, cmd.CommandPath())
		}
	}
	return lines
}

func didYouMean(lines []string, otherwise string) string {
	if len(lines) == 0 {
		return otherwise
	}
	return "did you mean: " + strings.Join(lines[:min(maxMeant, len(lines))], ", ")
}

// HelpHint turns a hint that names commands into one that names their help.
func HelpHint(hint string) string {
	lines, found := strings.CutPrefix(hint, "did you mean: ")
	if !found {
		return hint
	}
	var helps []string
	for line := range strings.SplitSeq(lines, ", ") {
		program, rest, below := strings.Cut(line, " ")
		if below {
			helps = append(helps, program+" help "+rest)
		} else {
			helps = append(helps, program+" --help")
		}
	}
	return didYouMean(helps, hint)
}

// flagHint is what to type instead of a flag that cmd does not have; typed is without its
// dashes. People use the values of --output as flags.
func flagHint(cmd *command.Command, typed, otherwise string) string {
	typed, _, _ = strings.Cut(typed, "=")
	var words []string
	lines := map[string]string{}
	add := func(word, line string) {
		if lines[word] == "" {
			words = append(words, word)
			lines[word] = line
		}
	}
	for _, f := range cmd.AllFlags() {
		if f.Shorthand != "" && len(typed) == 1 && strings.EqualFold(f.Shorthand, typed) { // -F
			add(f.Shorthand, "-"+f.Shorthand)
		}
		if !f.Hidden {
			add(f.Name, "--"+f.Name)
		}
	}
	for _, other := range flagWords {
		if cmd.Flag(other.flag) != nil {
			add(other.word, "--"+other.flag)
		}
	}
	if f := cmd.Flag("output"); f != nil {
		if v, ok := f.Value.(*format); ok {
			for _, word := range v.allowed[1:] { // without the default
				add(word, "-o "+word)
			}
		}
	}
	var meant []string
	for _, word := range provider.Nearest(typed, words) {
		if !slices.Contains(meant, lines[word]) {
			meant = append(meant, lines[word])
		}
	}
	if len(meant) == 0 && !cmd.HasParent() {
		return behindACommand(cmd, typed, otherwise)
	}
	return didYouMean(meant, otherwise)
}

// behindACommand is the hint for a flag that only commands below the root have.
func behindACommand(root *command.Command, typed, otherwise string) string {
	commands := root.Commands()
	if status := slices.IndexFunc(commands, func(c *command.Command) bool { return c.Name() == "status" }); status >= 0 {
		commands = slices.Insert(commands, 0, commands[status]) // it has most flags, and is meant most often
	}
	for _, cmd := range commands {
		for _, f := range cmd.OwnFlags() {
			if f.Hidden || f.Name != typed && f.Shorthand != typed {
				continue
			}
			line := cmd.CommandPath() + " --" + f.Name
			if _, ok := f.Value.(*format); ok {
				line += " " + formatJSON // which all of them have
			} else if name, _ := f.UnquoteUsage(); name != "" {
				line += " " + strings.ToUpper(name)
			}
			return "it goes after a command, as in: " + line
		}
		if f := cmd.Flag("output"); f != nil {
			if v, ok := f.Value.(*format); ok && slices.Contains(v.allowed, typed) {
				return "did you mean: " + cmd.CommandPath() + " -o " + typed
			}
		}
	}
	return otherwise
}

// valueHint is a correct way to give a flag.
func valueHint(cmd *command.Command, f *command.Flag, typed string) string {
	flag := "--" + f.Name
	switch f.Value.Type() {
	case "bool":
		if _, err := time.ParseDuration(typed); err == nil && cmd.Flag("timeout") != nil {
			return "did you mean: " + flag + " --timeout " + typed
		}
		switch strings.ToLower(typed) {
		case "no", "n", "off", "never", "none":
			return "did you mean: " + flag + "=false"
		}
		return "write " + flag + " alone"
	case "duration":
		if meant := spelled(typed); meant != "" {
			return "did you mean: " + flag + " " + meant
		}
		return "give a number and a unit: " + flag + " 30s"
	case "uint64", "int":
		if f.Name == "status" {
			return "give a whole number: " + flag + " 429"
		}
		return "give a whole number: " + flag + " 10"
	}
	if _, ok := f.Value.(*sinceFlag); ok {
		return "give a time, or the number of an event: " + sinceExamples
	}
	var allowed []string
	if v, ok := f.Value.(*list); ok {
		allowed = v.allowed
	} else if words := strings.Split(f.Value.Type(), "|"); len(words) > 1 {
		allowed = words
	}
	if len(allowed) > 0 {
		return provider.DidYouMean(typed, allowed, flag+" ", "use one of: "+strings.Join(allowed, ", "))
	}
	name, about := f.UnquoteUsage()
	return "write " + flag + " " + strings.ToUpper(name) + ": " + about
}

// unitOf parses people's spellings of what [time.ParseDuration] calls h, m or s, also in
// capitals or after a space, and days, which it does not know. Zero means none of these.
func unitOf(word string) time.Duration {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "", "s", "sec", "secs", "second", "seconds":
		return time.Second
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return 24 * time.Hour
	}
	return 0
}

// spelled is a duration as flags take it, from a number and a unit as people write them;
// empty if typed is something else.
func spelled(typed string) string {
	digits := len(typed) - len(strings.TrimLeft(typed, "0123456789"))
	unit := unitOf(typed[digits:])
	n, err := strconv.Atoi(typed[:digits])
	if err != nil || unit == 0 || n > 10_000 {
		return ""
	}
	switch d := time.Duration(n) * unit; {
	case d%time.Hour == 0 && n > 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0 && n > 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	default:
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
}
