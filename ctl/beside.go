package ctl

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/trust"
)

// Libexec is where packages put the programs beside providerctl, below the folder that contains
// providerctl's bin: /usr/libexec/providerd.
const Libexec = "libexec/providerd"

const besidePrefix = "providerctl-"

// besideSuffix ends the name of every program.
func besideSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// A besideProgram is a program beside providerctl that belongs to the project.
type besideProgram struct {
	name, short string
	suggestFor  []string
}

// programsOfOurs is a function, because most commands do not need the list.
func programsOfOurs() []besideProgram {
	return []besideProgram{
		{"dashboard", "Show the providers in a browser", []string{"browser", "gui", "ui", "web"}},
		{"mcp", "Offer the providers' status to an agent, over the Model Context Protocol", []string{"agent", "tools"}},
		{"top", "Watch all providers on the full screen, and act on them", []string{"htop", "live", "watch", "monitor", "tui"}},
	}
}

// programOfOurs returns the program with that name. If there is none, its name is empty.
func programOfOurs(name string) besideProgram {
	for _, p := range programsOfOurs() {
		if p.name == name {
			return p
		}
	}
	return besideProgram{}
}

// ShortBeside is the description of a program beside providerctl that belongs to the
// project, on one line; it is empty for any other.
func ShortBeside(name string) string { return programOfOurs(name).short }

// nearestOfOurs is the name that was probably meant, empty if there is none.
func nearestOfOurs(typed string) string {
	var names []string
	for _, p := range programsOfOurs() {
		names = append(names, p.name)
	}
	if near := provider.Nearest(typed, names); len(near) > 0 {
		return near[0]
	}
	return ""
}

func (p besideProgram) howToGet() string {
	return "install the package of providerd, which contains it, or in the folder of providerctl: " +
		"GOBIN=$PWD go install github.com/providerd/providerd/cmd/" + besidePrefix + p.name + "@latest"
}

// beside returns programs beside providerctl as commands: the one with that name or, if the
// name is empty, all that may be run.
func (a *app) beside(name string) (commands []*command.Command) {
	if name != "" {
		path, err := a.findBeside(name)
		if path == "" {
			return nil
		}
		return []*command.Command{a.besideCommand(name, path, err)}
	}
	known := map[string]bool{}
	for _, dir := range a.besideFolders() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			name, ours := strings.CutPrefix(strings.TrimSuffix(entry.Name(), besideSuffix()), besidePrefix)
			path := filepath.Join(dir, besideFile(name))
			if !ours || known[name] || !isBesideName(name) || trust.Program(path) != nil {
				continue
			}
			known[name] = true
			commands = append(commands, a.besideCommand(name, path, nil))
		}
	}
	return commands
}

// findBeside finds a program by its name. Path is empty if there is none. Err is why a program
// that exists may not be run.
func (a *app) findBeside(name string) (path string, err error) {
	if !isBesideName(name) {
		return "", nil
	}
	for _, dir := range a.besideFolders() {
		candidate := filepath.Join(dir, besideFile(name))
		refused := trust.Program(candidate)
		if refused == nil {
			return candidate, nil
		}
		if why := (*trust.ProgramError)(nil); path == "" && errors.As(refused, &why) && !isFolder(candidate) {
			path, err = candidate, refused
		}
	}
	return path, err
}

// besideFolders are the folders of programs beside providerctl: that of its own file, and that
// of packages. The folder of a symbolic link to it is not one, and PATH is not searched.
func (a *app) besideFolders() []string {
	path := a.ownPath()
	if path == "" {
		return nil
	}
	if file, err := filepath.EvalSymlinks(path); err == nil {
		path = file
	}
	dir := filepath.Dir(path)
	return []string{dir, filepath.Join(filepath.Dir(dir), filepath.FromSlash(Libexec))}
}

// ownPath is the path of providerctl; it is empty if it is not known.
func (a *app) ownPath() string {
	executable := a.Executable
	if executable == nil {
		executable = os.Executable
	}
	path, err := executable()
	if err != nil {
		return ""
	}
	return path
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func besideFile(name string) string { return besidePrefix + name + besideSuffix() }

// isBesideName reports whether a word can be the name of a program beside providerctl:
// a-z, 0-9, and dashes between them.
func isBesideName(word string) bool {
	return word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && word[0] != '-' && word[len(word)-1] != '-'
}

// besideCommand is the command that runs the program at path, or that reports why it may not be
// run.
func (a *app) besideCommand(name, path string, refused error) *command.Command {
	ours := programOfOurs(name)
	cmd := &command.Command{Use: name, Short: ours.short, SuggestFor: ours.suggestFor}
	if ours.name == "" { // it may lack the hidden command for completion
		cmd.Short = "Run " + path
		cmd.Complete = command.Offer(nil, command.OfferFiles)
	}
	cmd.External = func(args []string) error {
		if refused != nil {
			return notRun(refused)
		}
		return a.exec(name, append([]string{path}, args...), a.besideEnviron())
	}
	return cmd
}

// notRun is the error about a program that others could replace.
func notRun(err error) error {
	e := provider.Errorf(provider.Denied, "", "not run: %v", err)
	if program := (*trust.ProgramError)(nil); errors.As(err, &program) {
		e.Hint = program.Hint()
	}
	return e
}

// besideEnviron is the environment of a program beside providerctl: that of this process, with
// the path of providerctl, and the socket that --socket named.
func (a *app) besideEnviron() []string {
	var environ []string
	if a.Environ != nil {
		environ = a.Environ()
	}
	return withVariable(withVariable(environ, "PROVIDERCTL", a.ownPath()), "PROVIDERD_SOCKET", a.client.Socket)
}

// withVariable sets a variable of an environment, unless its value is empty.
func withVariable(environ []string, name, value string) []string {
	if value == "" {
		return environ
	}
	environ = slices.DeleteFunc(slices.Clone(environ), func(line string) bool { return strings.HasPrefix(line, name+"=") })
	return append(environ, name+"="+value)
}
