package ctl

import (
	"encoding/json"
	"runtime"
	"runtime/debug"

	"github.com/providerd/providerd/ctl/command"
)

func (a *app) versionCommand() *command.Command {
	cmd := &command.Command{
		Use:   "version",
		Short: "Show the version of providerctl; for the daemon's, see info",
		Args:  args(0, 0),
	}
	out := outputFlag(cmd, formatTable, formatJSON)
	cmd.Run = func(*command.Command, []string) error {
		if !out.json() {
			return a.print(a.versionLine())
		}
		text, err := json.Marshal(map[string]string{
			"version": a.version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		})
		if err != nil {
			return err
		}
		return a.writeJSON(text)
	}
	return cmd
}

func (a *app) versionLine() string { return a.versionOf("providerctl") }

func (a *app) versionOf(program string) string {
	return program + " " + a.version() + " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
}

// version is the one that the build set or, if it set none, the one that Go recorded.
func (a *app) version() string {
	if a.Version != "" {
		return a.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
