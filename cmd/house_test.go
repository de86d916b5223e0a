package cmd_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/providerd/providerd/"

// house lists the packages from top to bottom: imports may only point downward.
var house = []string{
	"packaging/archive",
	"packaging/leftout",
	"packaging/sbom",
	"packaging/systemtest/standin",
	"packaging/torture",
	"cmd/providerd",
	"cmd/providerctl",
	"cmd/providerctl-dashboard",
	"ctl/dashboard",
	"ctl/dashboard/page",
	"cmd/providerctl-mcp",
	"ctl/mcp",
	"cmd/providerctl-top",
	"ctl/top",
	"ctl",
	"ctl/examine",
	"ctl/doctor",
	"ctl/units",
	"ctl/client",
	"daemon",
	"daemon/fleet",
	"daemon/fleet/etcd",
	"daemon/fleet/bus",
	"daemon/fleet/wire",
	"daemon/notify",
	"daemon/notify/sink",
	"daemon/notify/book",
	"daemon/service",
	"daemon/systemd",
	"daemon/metrics",
	"daemon/health",
	"daemon/control",
	"daemon/slots",
	"daemon/framing",
	"daemon/socket",
	"daemon/schedule",
	"daemon/outage",
	"daemon/judge",
	"daemon/feed",
	"daemon/probe",
	"daemon/probe/intermediary",
	"daemon/probe/complaint",
	"daemon/probe/loose",
	"daemon/probe/atrest",
	"daemon/probe/transport",
	"daemon/probe/term",
	"daemon/probe/spelling",
	"daemon/child",
	"daemon/buses",
	"daemon/configfile",
	"daemon/config",
	"daemon/listener",
	"daemon/portwatch",
	"daemon/scarce",
	"daemon/logging",
	"store",
	"store/rollup",
	"store/sockdiag",
	"store/trust",
	"store/underway",
	"store/userns",
	"store/home",
	"store/provider",
	"packaging",
	"packaging/man/mantest",
	"packaging/man",
	"ctl/command",
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestHouse_ImportArrowsRunDownward(t *testing.T) {
	floor := map[string]int{}
	for i, name := range house {
		floor[module+name] = i
	}
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		fields := strings.Fields(line)
		from, known := floor[fields[0]]
		if !known {
			if fields[0] != module+"cmd" { // this test
				t.Errorf("%s has no floor in the house", fields[0])
			}
			continue
		}
		for _, imported := range fields[1:] {
			to, ours := floor[imported]
			if ours && to <= from {
				t.Errorf("%s imports %s, which is above it", fields[0], imported)
			}
		}
	}
}

// Every package is in docs/architecture.md, with its purpose.
func TestHouse_EveryRoomIsDrawn(t *testing.T) {
	page, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range house {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/architecture.md does not name %s", name)
		}
	}
}

func TestHouse_VocabularyImportsOnlyTheStandardLibrary(t *testing.T) {
	for _, line := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./store/provider") {
		if line != "" && line != module+"store/provider" {
			t.Errorf("store/provider depends on %s", line)
		}
	}
}
