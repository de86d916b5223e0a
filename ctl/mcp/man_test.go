package mcp

import (
	"flag"
	"testing"

	"github.com/providerd/providerd/packaging/man"
	"github.com/providerd/providerd/packaging/man/mantest"
)

var update = flag.Bool("update", false, "write the manual page")

// TestManualPage holds providerctl-mcp(1) to the help.
func TestManualPage(t *testing.T) {
	mantest.Hold(t, "../../packaging/man/providerctl-mcp.1", *update, map[string]string{"description": man.Text(Command(nil).Long)})
}
