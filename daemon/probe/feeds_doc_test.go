package probe_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

// TestFeeds_Documented compares the table of docs/feeds.md with the kinds that have a feed;
// -update writes it.
func TestFeeds_Documented(t *testing.T) {
	const path, open, shut = "../../docs/feeds.md", "<!-- feeds -->\n", "<!-- end of feeds -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| kind | feed | format | components |\n| --- | --- | --- | --- |\n")
	for _, k := range probe.Kinds() {
		if f := k.Feed; f.URL != "" {
			table.WriteString("| `" + k.Name + "` | `" + f.URL + "` | `" + f.Format + "` | `" + strings.Join(f.Components, "`, `") + "` |\n")
		}
	}
	before, rest, ok := strings.Cut(string(text), open)
	_, after, closed := strings.Cut(rest, shut)
	if !ok || !closed {
		t.Fatalf("%s lacks the marks %q and %q", path, open, shut)
	}
	doc := before + open + table.String() + shut + after
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(text), doc); diff != "" && !*update {
		t.Errorf("%s (-is +should be; go test -run Documented ./daemon/probe -update):\n%s", path, diff)
	}
}

// Each kind's feed is valid in the configuration, and names its components: otherwise a
// vendor's chat would count too.
func TestFeeds_AreGoodSettings(t *testing.T) {
	env := config.OSEnv()
	env.Getenv = func(string) string { return "" }
	for _, k := range probe.Kinds() {
		if k.Feed.URL == "" {
			continue
		}
		if len(k.Feed.Components) == 0 {
			t.Errorf("%s: all of the page counts", k.Name)
		}
		c, err := config.Parse("p.toml", []byte("[[provider]]\nid = \"a\"\nkind = \""+k.Name+"\"\nstatus_feed = true\n"), probe.Kinds(), env)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := config.Parse("p.toml", []byte(c.Show()), probe.Kinds(), env)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		if diff := cmp.Diff(k.Feed, shown.Providers[0].Feed); diff != "" {
			t.Errorf("%s: %s", k.Name, diff)
		}
	}
}
