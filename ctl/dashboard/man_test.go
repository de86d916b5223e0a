package dashboard_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl/dashboard"
	"github.com/providerd/providerd/packaging/man"
)

var update = flag.Bool("update", false, "write the manual page")

// TestManualPage holds providerctl-dashboard(1) to the help and the flags that there are.
func TestManualPage(t *testing.T) {
	const path = "../../packaging/man/providerctl-dashboard.1"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := dashboard.New("")(nil)
	page := string(text)
	prose, _, _ := strings.Cut(cmd.Long, "\n\nTo use it on another machine") // which is an example there
	for part, should := range map[string]string{"description": man.Text(prose), "options": man.Flags(cmd.Flags())} {
		if page, err = man.Replace(page, part, should); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), page); diff != "" {
		t.Errorf("%s (-is +should be; go test -run ManualPage ./ctl/dashboard -update):\n%s", path, diff)
	}
}
