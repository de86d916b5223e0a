package ctl

import (
	"flag"
	"testing"

	"github.com/providerd/providerd/packaging/man"
	"github.com/providerd/providerd/packaging/man/mantest"
)

// TestManualPage holds providerctl(1) to the commands and flags that there are.
func TestManualPage(t *testing.T) {
	root := Commands()
	mantest.Hold(t, "../packaging/man/providerctl.1", flag.Lookup("update").Value.String() == "true", map[string]string{
		"options":  man.Flags(root.PersistentFlags()),
		"commands": man.Commands(root),
	})
}
