package dashboard_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl/dashboard"
	"github.com/providerd/providerd/packaging/man"
	"github.com/providerd/providerd/packaging/man/mantest"
)

var update = flag.Bool("update", false, "write the manual page")

// TestManualPage holds providerctl-dashboard(1) to the help and the flags that there are.
func TestManualPage(t *testing.T) {
	cmd := dashboard.New("")(nil)
	prose, _, _ := strings.Cut(cmd.Long, "\n\nTo use it on another machine") // which is an example there
	mantest.Hold(t, "../../packaging/man/providerctl-dashboard.1", *update, map[string]string{
		"description": man.Text(prose),
		"options":     man.Flags(cmd.Flags()),
	})
}
