package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/daemon"
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/systemd"
	"github.com/providerd/providerd/store/provider"
)

// run is the daemon in the foreground, until a signal ends it.
func run(ctx context.Context, f flags, logJSONSet bool) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	limitGarbage()
	o.Service = systemd.Take()
	o.LogJournal = systemd.IsJournal(os.Stderr)
	if !logJSONSet {
		o.LogJSON = !o.LogJournal && !term.IsTerminal(int(os.Stderr.Fd()))
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		o.LogTo = ctl.TalkTo(os.Stderr, ctl.ASCIIWanted(os.Getenv, true)) // elsewhere the log is data
	}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		o.FirstSweep = func(reply provider.StatusReply) { f.printTable(reply) }
	}
	if ran, err := underManager(o); ran {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reload := make(chan os.Signal, 1)
	o.Reload = reload
	stopSignals := handleSignals(cancel, reload)
	defer stopSignals()
	return daemon.Run(ctx, o)
}

// options are the daemon's, from the command line.
func (f *flags) options() (daemon.Options, error) {
	o := daemon.Options{
		Version: buildVersion(), ConfigPath: f.config, Socket: f.socket, StateDir: f.stateDir,
		LogLevel: f.logLevel, LogJSON: f.logJSON, LogTo: os.Stderr, Env: config.OSEnv(),
	}
	o.Env.System, o.Insecure = f.system, f.insecure
	for _, path := range []*string{&o.ConfigPath, &o.Socket, &o.StateDir} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return o, fmt.Errorf("resolve %s: %w", *path, err)
		}
		*path = abs
	}
	return o, nil
}

// printTable shows the result of the first sweep, and how to ask again.
func (f *flags) printTable(reply provider.StatusReply) {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		width = 80
	}
	out := ctl.ScreenWriter(os.Stdout, ctl.ASCIIWanted(os.Getenv, true))
	opts := ctl.TableOptions{Width: width, Color: f.color.Wanted(os.Getenv, true), Now: time.Now()}
	if opts.Color {
		out.Style(ctl.Styles()...)
	}
	fmt.Fprintln(out)
	_ = ctl.WriteTable(out, reply, opts)
	ask := "providerctl status"
	if f.socket != "" {
		ask = "providerctl --socket " + f.socket + " status"
	}
	fmt.Fprintf(out, "\nto ask again: %s\n\n", ask)
}

// handleSignals ends the daemon on the first SIGTERM or ctrl-C, and the process on the
// second. SIGHUP reloads, unless it means that our terminal is gone.
func handleSignals(end context.CancelFunc, reload chan<- os.Signal) (stop func()) {
	signal.Ignore(ignored...)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, handled...)
	onTerminal := term.IsTerminal(int(os.Stderr.Fd()))
	go func() {
		ending := false
		for sig := range signals {
			switch {
			case sig == hangup && !(onTerminal && !term.IsTerminal(int(os.Stderr.Fd()))):
				select {
				case reload <- sig:
				default: // one is waiting already
				}
			case ending:
				os.Exit(1)
			default:
				ending = true
				end()
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}
