// Package mantest holds the generated parts of manual pages to what they describe.
package mantest

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/packaging/man"
)

// Hold fails the test if a part of the page at path is not as it should be. With update it
// writes the parts instead.
func Hold(t *testing.T, path string, update bool, parts map[string]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for part, should := range parts {
		if page, err = man.Replace(page, part, should); err != nil {
			t.Fatal(err)
		}
	}
	if update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), page); diff != "" {
		t.Errorf("%s (-is +should be; to write it: go test -run %s -update):\n%s", path, t.Name(), diff)
	}
}
