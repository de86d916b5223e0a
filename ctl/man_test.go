package ctl

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/packaging/man"
)

// TestManualPage holds providerctl(1) to the commands and flags that there are.
func TestManualPage(t *testing.T) {
	const path = "../packaging/man/providerctl.1"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root := Commands()
	page := string(text)
	for part, should := range map[string]string{"options": man.Flags(root.PersistentFlags()), "commands": man.Commands(root)} {
		if page, err = man.Replace(page, part, should); err != nil {
			t.Fatal(err)
		}
	}
	if flag.Lookup("update").Value.String() == "true" { // as in the other tests
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), page); diff != "" {
		t.Errorf("%s (-is +should be; go test -run ManualPage ./ctl -update):\n%s", path, diff)
	}
}
