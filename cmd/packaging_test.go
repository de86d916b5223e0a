package cmd_test

import (
	"flag"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

var update = flag.Bool("update", false, "write what packaging has of other files")

// held compares a file with its expected content; -update writes it.
func held(t *testing.T, path, is, should string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(should), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(is, should); diff != "" {
		t.Errorf("%s (-is +should be; go test -run Packaging ./cmd -update):\n%s", path, diff)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// noKeys is an environment in which no vendor's variable is set.
func noKeys() config.Env {
	env := config.OSEnv()
	env.Getenv = func(string) string { return "" }
	return env
}

// The packages' file is the example with every provider commented out, below its own head;
// unedited, it changes nothing.
func TestPackaging_DefaultConfiguration(t *testing.T) {
	const path = "../packaging/providerd.toml"
	text := read(t, path)
	head, _, _ := strings.Cut(text, "\n\n")
	_, example, _ := strings.Cut(read(t, "../docs/providerd.example.toml"), "\n\n")
	common, providers, ok := strings.Cut(example, "\n[[provider]]\n")
	if !ok {
		t.Fatal("the example has no [[provider]]")
	}
	should := head + "\n\n" + common + "\n#[[provider]]\n" +
		regexp.MustCompile(`(?m)^([^#\n])`).ReplaceAllString(providers, "#$1")
	held(t, path, text, should)

	env := noKeys()
	got, err := config.Parse(path, []byte(should), probe.Kinds(), env)
	if err != nil {
		t.Fatal(err)
	}
	env.ReadFile = func(string, int64) ([]byte, fs.FileMode, error) { return nil, 0, fs.ErrNotExist }
	want, err := config.Load("", false, probe.Kinds(), env)
	if err != nil {
		t.Fatal(err)
	}
	got.Path = want.Path
	if diff := cmp.Diff(want.Show(), got.Show()); diff != "" {
		t.Errorf("it changes what holds without a file (-without +with):\n%s", diff)
	}
}

// The manual page has every setting of the file, and no other.
func TestPackaging_ManualPageSettings(t *testing.T) {
	page := read(t, "../packaging/man/providerd.toml.5")
	section := func(name string) (settings []string) {
		_, text, ok := strings.Cut(page, ".Sh "+name+"\n")
		if !ok {
			t.Fatalf("the page has no section %s", name)
		}
		text, _, _ = strings.Cut(text, "\n.Sh ")
		for _, item := range regexp.MustCompile(`(?m)^\.It Ic \[*(\w+)`).FindAllStringSubmatch(text, -1) {
			settings = append(settings, item[1])
		}
		return settings
	}
	timing := section("THE TABLE [defaults]")
	for _, tc := range []struct {
		file string // with an unknown setting
		page []string
	}{
		{"zzzzzz = 1", section("TOP LEVEL")},
		{"[daemon]\nzzzzzz = 1", section("THE TABLE [daemon]")},
		{"[defaults]\nzzzzzz = 1", timing},
		{"[[provider]]\nid = \"a\"\nkind = \"zzzzzz\"\nzzzzzz = 1", append(section("THE TABLES [[provider]]"), timing...)},
		{"[[notify]]\nid = \"a\"\nkind = \"zzzzzz\"\nzzzzzz = 1", section("THE TABLES [[notify]]")},
		{"[fleet]\nname = \"lab\"\nendpoints = [\"http://127.0.0.1:2379\"]\nfleet_key_file = \"k\"\nzzzzzz = 1", section("THE TABLE [fleet]")},
		{"[[maintenance]]\nproviders = [\"a\"]\nat = \"1:00-2:00\"\nzzzzzz = 1", section("THE TABLES [[maintenance]]")},
	} {
		_, err := config.Parse("test.toml", []byte(tc.file), probe.Kinds(), noKeys())
		if err == nil {
			t.Fatalf("%q is accepted", tc.file)
		}
		lists := regexp.MustCompile(`unknown setting[^=]*=[^=]*= known here: (.*)`).FindStringSubmatch(err.Error())
		if lists == nil {
			t.Fatalf("no list of what is known in: %v", err)
		}
		known := strings.Split(lists[1], ", ")
		slices.Sort(known)
		slices.Sort(tc.page)
		if diff := cmp.Diff(known, tc.page); diff != "" {
			t.Errorf("%q: settings (-config +page):\n%s", tc.file, diff)
		}
	}
}
