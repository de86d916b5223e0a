package mcp

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/packaging/man"
)

var update = flag.Bool("update", false, "write the manual page")

// TestManualPage holds providerctl-mcp(1) to the help.
func TestManualPage(t *testing.T) {
	const path = "../../packaging/man/providerctl-mcp.1"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page, err := man.Replace(string(text), "description", man.Text(Command(nil).Long))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), page); diff != "" {
		t.Errorf("%s (-is +should be; go test -run ManualPage ./ctl/mcp -update):\n%s", path, diff)
	}
}
