package judge

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/architecture.md says about adding a witness is enough: its code compiles with
// this package, and the new witness has precedence over this machine.
func TestDocs_AWitnessIsAFileAndALine(t *testing.T) {
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(code) != 3 || strings.Count(code[0][1]+code[1][1]+code[2][1], "\n") > 10 {
		t.Fatalf("the exercise is %d pieces, or more than ten lines", len(code))
	}
	dir, overlay := t.TempDir(), map[string]string{}
	put := func(name, text string) {
		here, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		overlay[here] = filepath.Join(dir, name)
		if err := os.WriteFile(overlay[here], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(name, before, line string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), before) {
			t.Fatalf("%s has no %q", name, before)
		}
		put(name, strings.Replace(string(text), before, line+before, 1))
	}
	put("drain.go", "package judge\n\nimport (\n\"time\"\n\n\"github.com/providerd/providerd/daemon/config\"\n"+
		"\"github.com/providerd/providerd/store/provider\"\n)\n\n"+code[0][1])
	insert("judge.go", "\tMachine Machine\n", code[1][1])
	insert("row.go", "\t\tr.Machine.claim,", code[2][1])
	put("drain_test.go", `package judge

import (
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestDrain(t *testing.T) {
	c := begin(t, local()).see(saw(provider.OK))
	c.r = ApplyOutage(c.r, "slept", c.p, c.now)
	r, event := ApplyDrain(c.r, provider.Hung, "drained", c.p, c.now)
	if r.Status.Reason != provider.Hung || event == nil || event.From != provider.StateRunning {
		t.Errorf("%+v %+v", r.Status, event)
	}
	if r, _ = ApplyDrain(r, "", "", c.p, c.now); r.Status.Reason != provider.Offline {
		t.Errorf("%+v", r.Status)
	}
}
`)
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "test", "-count=1", "-overlay", file, "-run", "^TestDrain$", "-v", ".").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestDrain") {
		t.Errorf("%v\n%s", err, out)
	}
}
