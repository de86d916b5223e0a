package main

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/packaging/man"
)

var update = flag.Bool("update", false, "write the commands in packaging/man/providerd.8")

// providerd(8) has the commands and flags that there are.
func TestManualPage(t *testing.T) {
	const path = "../../packaging/man/providerd.8"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root := newCommand()
	page := string(text)
	for part, should := range map[string]string{"options": man.Flags(root.PersistentFlags()), "commands": man.Commands(root)} {
		if page, err = man.Replace(page, part, should); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), page); diff != "" {
		t.Errorf("%s (-is +should be; go test -run ManualPage ./cmd/providerd -update):\n%s", path, diff)
	}
}
