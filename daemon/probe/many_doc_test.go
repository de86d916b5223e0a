package probe_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/probe"
)

// TestMany_Documented compares the table of docs/kinds.md with the kinds that keep their
// connection on this machine; -update writes it.
func TestMany_Documented(t *testing.T) {
	const path, open, shut = "../../docs/kinds.md", "<!-- many -->\n", "<!-- end of many -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| kind | where its source shows it |\n| --- | --- |\n")
	for _, k := range probe.Kinds() {
		if source := probe.Many(k.Name); source != "" {
			table.WriteString("| `" + k.Name + "` | " + source + " |\n")
		}
	}
	before, rest, ok := strings.Cut(string(text), open)
	_, after, closed := strings.Cut(rest, shut)
	if !ok || !closed {
		t.Fatalf("%s lacks the marks %q and %q", path, open, shut)
	}
	should := before + open + table.String() + shut + after
	if *update {
		if err := os.WriteFile(path, []byte(should), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), should); diff != "" {
		t.Errorf("%s (-is +should be; go test -run Documented ./daemon/probe -update):\n%s", path, diff)
	}
}
