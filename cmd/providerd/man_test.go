package main

import (
	"flag"
	"testing"

	"github.com/providerd/providerd/packaging/man"
	"github.com/providerd/providerd/packaging/man/mantest"
)

var update = flag.Bool("update", false, "write the commands in packaging/man/providerd.8")

// providerd(8) has the commands and flags that there are.
func TestManualPage(t *testing.T) {
	root := newCommand()
	mantest.Hold(t, "../../packaging/man/providerd.8", *update, map[string]string{
		"options":  man.Flags(root.PersistentFlags()),
		"commands": man.Commands(root),
	})
}
