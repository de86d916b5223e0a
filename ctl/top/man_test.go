package top

import (
	"flag"
	"strings"
	"testing"

	"github.com/providerd/providerd/packaging/man"
	"github.com/providerd/providerd/packaging/man/mantest"
)

var update = flag.Bool("update", false, "write the manual page")

// TestManualPage holds providerctl-top(1) to the help, on the command line and at the key ?.
func TestManualPage(t *testing.T) {
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
	mantest.Hold(t, "../../packaging/man/providerctl-top.1", *update, map[string]string{
		"description": man.Text(Command(nil).Long),
		"keys":        keys.String(),
	})
}
