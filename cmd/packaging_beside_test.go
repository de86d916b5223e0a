package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
)

// besidePrograms are the names of the programs beside providerctl: of each folder here that
// is called providerctl-NAME.
func besidePrograms(t *testing.T) (names []string) {
	t.Helper()
	mains, err := filepath.Glob("providerctl-*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, main := range mains {
		names = append(names, strings.TrimPrefix(filepath.Dir(main), "providerctl-"))
	}
	return names
}

// Each program beside providerctl is known to providerctl, has a manual page that names its
// flags, and answers as providerctl does.
func TestPackaging_ProgramsBeside(t *testing.T) {
	dir := t.TempDir()
	for _, name := range besidePrograms(t) {
		if ctl.ShortBeside(name) == "" {
			t.Errorf("ctl/beside.go does not list %s", name)
		}
		path := filepath.Join(dir, filepath.Base(program("providerctl-"+name)))
		if out, err := exec.Command("go", "build", "-ldflags", "-X main.version=v1.2.3", "-o", path, "./providerctl-"+name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if out, err := exec.Command(path, "--version").Output(); err != nil || !strings.HasPrefix(string(out), "providerctl-"+name+" v1.2.3 (") {
			t.Errorf("%s --version: %v, %q", name, err, out)
		}
		help, err := exec.Command(path, "--help").Output()
		if err != nil || !strings.Contains(string(help), "Usage:\n  providerctl "+name) {
			t.Errorf("%s --help: %v, %q", name, err, help)
		}
		page, err := os.ReadFile("../packaging/man/providerctl-" + name + ".1")
		if err != nil {
			t.Error(err)
			continue
		}
		_, flags, _ := strings.Cut(string(help), "\nFlags:\n")
		flags, _, _ = strings.Cut(flags, "\n\n")
		for _, flag := range regexp.MustCompile(`(?m)^ .*--([\w-]+)`).FindAllStringSubmatch(flags, -1) {
			if flag := flag[1]; flag != "help" && flag != "version" && !strings.Contains(string(page), "Fl -"+flag) {
				t.Errorf("providerctl-%s.1 does not name --%s", name, flag)
			}
		}
	}
}

// The packages put the programs beside providerctl where it looks for them.
func TestPackaging_Libexec(t *testing.T) {
	if text := read(t, "../packaging/nfpm.yaml"); !strings.Contains(text, "{src: libexec, dst: /usr/"+ctl.Libexec+", type: tree}") {
		t.Errorf("no package has /usr/%s", ctl.Libexec)
	}
}
