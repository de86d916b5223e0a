package ctl

import (
	"context"
	"encoding/json"
	"runtime"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/ctl/doctor"
	"github.com/providerd/providerd/ctl/examine"
)

func (a *app) doctorCommand() *command.Command {
	cmd := &command.Command{
		Use:        "doctor",
		Short:      "Check everything that can be wrong, and say what to type",
		SuggestFor: []string{"checkup", "troubleshoot", "netcheck"},
		Long: `Check the daemon, its socket, your rights, its unit, configuration and keys, the
proxies, the clock, the disk, the versions, the fleet and each provider, and say what to
type.
It also works if the daemon does not run, hangs, is old, or does not let you in. It
changes nothing and shows no secrets.

It exits 1 if something needs a person (fail), and 0 otherwise, even with warnings.
-o markdown writes a report to paste into an issue, without your name and the name of
this machine.`,
		Example: `  providerctl doctor
  sudo providerctl doctor
  providerctl doctor -o markdown`,
		Args: args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON, formatMarkdown)
	cmd.Run = func(*command.Command, []string) error { return a.doctor(a.interruptible(true), out) }
	return cmd
}

// A checkup is the reply of -o json.
type checkup struct {
	Status      doctor.Level     `json:"status"` // the worst
	Problems    int              `json:"problems"`
	Warnings    int              `json:"warnings"`
	Checks      []doctor.Finding `json:"checks"`
	Providerctl string           `json:"providerctl"`
	Providerd   string           `json:"providerd,omitempty"` // absent when none answered
	OS          string           `json:"os"`
	Arch        string           `json:"arch"`
}

func (a *app) doctor(ctx context.Context, out *format) error {
	a.client.Passed = nil // the findings have it
	scene := examine.Scene{Client: a.client, Getenv: a.Getenv, Version: a.version(), Now: a.now}
	facts := scene.Facts(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	all := doctor.Examine(facts)
	c := checkup{
		Status: doctor.Worst(all), Problems: doctor.Count(all, doctor.Fail), Warnings: doctor.Count(all, doctor.Warn), Checks: all,
		Providerctl: a.version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
	}
	if facts.Info != nil {
		c.Providerd = facts.Info.Version
	}
	if err := a.writeCheckup(&c, out); err != nil {
		return err
	}
	if c.Status == doctor.Fail {
		return errNo
	}
	return nil
}

func (a *app) writeCheckup(c *checkup, out *format) error {
	switch out.value {
	case formatJSON:
		text, err := json.Marshal(c)
		if err != nil {
			return err
		}
		return a.writeJSON(text)
	case formatMarkdown:
		return a.writeCheckupMarkdown(c)
	}
	return a.writeCheckupText(c)
}
