package service_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/packaging"
)

func openRC(t *testing.T) *machine {
	m := newMachine(t)
	m.host.Platform = "linux-openrc"
	return m
}

// OpenRC's restart would not start what is stopped.
func TestService_Install_OpenRC(t *testing.T) {
	m := openRC(t)
	for _, done := range []string{"installed, and started", "upgraded, and started"} {
		m.out.Reset()
		if err := m.service(false).Install(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.wants("install", "stop", "start")
		if m.read(initFile) != packaging.OpenRC(program) || m.read(socketFile) != "none" {
			t.Error("the script is not ours, or there is a unit of systemd")
		}
		if got := m.out.String(); !strings.Contains(got, done) {
			t.Errorf("said %q, want %q", got, done)
		}
	}
}

// Packages and this program put the script into one place.
func TestService_PackagedForOpenRC(t *testing.T) {
	m := openRC(t)
	m.write(packaging.Program, "the package's program", 0o755)
	m.write(initFile, packaging.OpenRC(packaging.Program), 0o755)
	m.refused(m.service(false).Install(t.Context()), "a package has already installed the service: "+initFile,
		"sudo rc-update add providerd && sudo rc-service providerd start")
	m.refused(m.service(false).Uninstall(t.Context()), "a package has already installed",
		"remove the package, or: sudo rc-service providerd stop && sudo rc-update del providerd")
	if err := m.service(false).Start(t.Context()); err != nil {
		t.Error(err)
	}
	m.wants("start")
}
