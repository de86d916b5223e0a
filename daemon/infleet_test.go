package daemon

import (
	"os"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// inFleet makes a configuration one of a member of the fleet in the environment, which
// packaging/fleettest sets: its etcd is dead. The test's servers are shared under a name of this
// machine that the daemon does not know.
func inFleet(config string) string {
	fleet := os.Getenv("PROVIDERD_TEST_FLEET")
	if fleet == "" {
		return config
	}
	return strings.ReplaceAll(config, "http://127.0.0.1:", "http://machine.test:") + "\n" + fleet
}

// awaitMode waits until the daemon stands to that fleet as the environment wants, or is alone.
func (r *running) awaitMode() {
	mode := provider.FleetMode(os.Getenv("PROVIDERD_TEST_MODE"))
	if mode == "" {
		return
	}
	r.t.Helper()
	var fleet provider.FleetReply
	r.until(func() bool {
		r.call("GET", "/api/fleet", &fleet)
		return fleet.Mode == mode || fleet.Mode == provider.FleetAlone
	})
	r.t.Logf("fleet: %s, %d shared", fleet.Mode, len(fleet.Shared))
}
