package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/daemon"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/configfile"
	"github.com/providerd/providerd/store/provider"
)

func newConfigEditCommand(f *flags) *command.Command {
	return &command.Command{
		Use: "edit", Short: "Edit the configuration file, and check it before it is saved",
		SuggestFor: []string{"change", "set", "modify"},
		Long: `Edit a copy of the configuration file with $VISUAL or $EDITOR. When the editor
ends, the copy is checked, and only a good one replaces the file. Owner, mode and
symbolic links stay as they are. If there is no file yet, the copy begins as what
"providerd config init" prints.

If the copy has an error, the file does not change, and the copy is kept. On a
terminal you can edit it again.`,
		Args: noArguments,
		Run:  func(cmd *command.Command, _ []string) error { return f.edit(cmd) },
	}
}

func (f *flags) edit(cmd *command.Command) error {
	o, path, err := f.place()
	if err != nil {
		return err
	}
	terminal := term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	editor, err := configfile.EditorOf(os.Getenv, terminal, exec.LookPath)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, handled...) // or one that came at any time would leave the copy unnamed
	defer signal.Stop(signals)
	stood, _ := o.Load() // an error in it may be why it is edited
	var cfg *config.Config
	e := &configfile.Edit{
		Path: path, Modes: modes(o),
		Editor: func(file string) error { return editor.Edit(file, signals) },
		Check: func(text []byte) (v configfile.Verdict) {
			cfg, v = checked(o, path, text, stood)
			return v
		},
		Say: func(text string) { say(cmd, "%s", text) },
	}
	if _, err := os.Stat(path); err != nil {
		e.Draft = []byte(starter(cmd, o))
	}
	if terminal {
		e.Ask = func(question, letters string) byte { return ask(cmd, signals, question, letters) }
	}
	begun := time.Now()
	out, err := e.Run()
	switch {
	case err != nil:
		return f.asRoot(err, "config edit", path)
	case !out.Changed && e.Draft != nil:
		say(cmd, "nothing was changed, so nothing is written; to write it as it is: %s", f.again("config init --write", path))
		return nil
	case !out.Changed:
		say(cmd, "nothing was changed")
		if time.Since(begun) < time.Second { // some return while their window is open
			say(cmd, "if the editor is still open, make it wait: EDITOR=\"code --wait\" %s", f.again("config edit", path))
		}
		return nil
	}
	sayWarnings(cmd, cfg)
	_, err = fmt.Fprintf(cmd.Out(), "saved %s: %s\n", provider.Printable(out.Path), counted(cfg))
	say(cmd, "put it in force: %s", f.inForce(o, path, cfg, stood))
	return err
}

// inForce is the command that puts a new file in force. The daemon still listens where the
// old file said, and a key that systemd has to pass on takes a restart.
func (f *flags) inForce(o daemon.Options, path string, cfg, stood *config.Config) string {
	if stood == nil {
		stood = &config.Config{Daemon: cfg.Daemon}
	}
	view, had := viewOfService(o, path), stood.NamedFiles()
	for _, named := range cfg.NamedFiles() {
		if view.passed(named.Path) && !slices.Contains(had, named) {
			return "sudo systemctl restart providerd"
		}
	}
	return f.reloadLine(o, stood)
}

// checked parses a text as the daemon would read it at that path. It excuses faults that the
// old file has too.
func checked(o daemon.Options, path string, text []byte, stood *config.Config) (*config.Config, configfile.Verdict) {
	cfg, err := o.Parse(path, text)
	if err != nil {
		return nil, configfile.Verdict{Err: err}
	}
	view := viewOfService(o, path)
	known := func(f config.Fault) bool { return stood != nil && stood.HasFault(f) || view.excuses(f) }
	if err := cfg.FaultError(known); err != nil {
		return cfg, configfile.Verdict{Err: err, Usable: true}
	}
	wrong, _ := view.unreadable(cfg)
	return cfg, configfile.Verdict{Err: joined(wrong), Usable: true}
}

// ask makes a person choose one of the letters. At the end of the input, or a signal, it is
// the last one.
func ask(cmd *command.Command, signals <-chan os.Signal, question, letters string) byte {
	last := letters[len(letters)-1]
	for {
		fmt.Fprintf(cmd.Err(), "providerd: %s ", question)
		answers := make(chan string, 1)
		go func() {
			line, err := bufio.NewReader(os.Stdin).ReadString('\n')
			if line = strings.ToLower(strings.TrimSpace(line)); err != nil && line == "" {
				line = string(last)
			}
			answers <- line
		}()
		select {
		case <-signals:
			fmt.Fprintln(cmd.Err())
			return last
		case line := <-answers:
			if line != "" && strings.Contains(letters, line[:1]) {
				return line[0]
			}
		}
	}
}
