package top

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/packaging/man"
)

var update = flag.Bool("update", false, "write the manual page")

// TestManualPage holds providerctl-top(1) to the help, on the command line and at the key ?.
func TestManualPage(t *testing.T) {
	const path = "../../packaging/man/providerctl-top.1"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var keys strings.Builder
	for i, pair := range helpTexts {
		switch {
		case pair[1] == "" && i > 0:
			keys.WriteString(".El\n.Pp\n" + pair[0] + ":\n.Bl -tag -width Ds -compact\n")
		case pair[1] == "":
			keys.WriteString(pair[0] + ":\n.Bl -tag -width Ds -compact\n")
		default:
			keys.WriteString(".It " + pair[0] + "\n" + man.Text(pair[1]))
		}
	}
	keys.WriteString(".El\n")
	page := string(text)
	for part, should := range map[string]string{"description": man.Text(Command(nil).Long), "keys": keys.String()} {
		if page, err = man.Replace(page, part, should); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), page); diff != "" {
		t.Errorf("%s (-is +should be; go test -run ManualPage ./ctl/top -update):\n%s", path, diff)
	}
}
