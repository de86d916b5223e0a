//go:build !windows

package packaging_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A link of a document that is in the packages leads to another that is.
func TestDocuments_LinksLeadSomewhere(t *testing.T) {
	out, err := exec.Command("./build.sh", "--list-documents").Output()
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Fields(string(out))
	link := regexp.MustCompile(`\]\(([^)#\s]+)`)
	found := 0
	for _, document := range documents {
		text, err := os.ReadFile(filepath.Join("..", document))
		if err != nil {
			t.Fatal(err)
		}
		if path.Ext(document) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			to := path.Join(path.Dir(document), m[1])
			elsewhere := to == "LICENSE" || to == "docs/decisions" || strings.HasPrefix(to, "daemon/") // the source is for those who have it
			if !slices.Contains(documents, to) && !elsewhere {
				t.Errorf("%s links to %s, which is in no package", document, to)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d links", found)
	}
}

// Each format has the licence, what changed, the example of a configuration, and the
// documents, where its system looks for them.
func TestPackages_HaveWhatReadersLookFor(t *testing.T) {
	text, err := os.ReadFile("nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const doc = "/usr/share/doc/providerd/"
	entry := regexp.MustCompile(`(?m)^  - \{src: (\S+), dst: ([^,}]+)(?:, type: \w+)?(?:, packager: (\w+))?`)
	has := map[string][]string{}
	for _, m := range entry.FindAllStringSubmatch(string(text), -1) {
		for _, format := range []string{"deb", "rpm", "apk"} {
			if m[3] == "" || m[3] == format {
				has[format] = append(has[format], m[2])
			}
		}
	}
	for format, wants := range map[string][]string{
		"deb": {doc + "copyright", doc + "changelog.gz", doc + "changelog.Debian.gz"},
		"rpm": {"/usr/share/licenses/providerd/LICENSE", doc + "CHANGELOG.md"},
		"apk": {"/usr/share/licenses/providerd/LICENSE", doc + "CHANGELOG.md"},
	} {
		for _, want := range append(wants, doc+"README.md", doc+"docs", "/usr/share/providerd/contrib", doc+"examples/providerd.toml", doc+"third-party-licenses.gz") {
			if !slices.Contains(has[format], want) {
				t.Errorf("%s has no %s", format, want)
			}
		}
	}
}
