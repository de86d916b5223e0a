package probe_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
)

const addingAKind = "../../docs/adding-a-kind.md"

// Following docs/adding-a-kind.md to the letter yields a kind that is probed, has its hints
// and is documented.
func TestAddingAKind_AsThePageSays(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a copy of this package, which takes long: run without -short")
	}
	if slices.ContainsFunc(probe.Kinds(), func(k config.Kind) bool { return k.Name == "marmot" }) {
		t.Skip("this is the copy that follows it")
	}
	root := copyOfModule(t)
	page := readFile(t, addingAKind)

	files := regexp.MustCompile("(?s)\n`([\\w/.-]+)`:\n\n```\\w+\n(.*?)```\n").FindAllStringSubmatch(page, -1)
	if len(files) != 3 {
		t.Fatalf("%d files are shown, want the row and two scenarios", len(files))
	}
	for _, f := range files {
		writeFile(t, filepath.Join(root, f[1]), f[2])
	}
	line := regexp.MustCompile("(?s)In `([\\w/.-]+)`[^\n]* below `([^`]+)`:\n\n```go\n(.*?)```\n").FindStringSubmatch(page)
	if line == nil {
		t.Fatal("the page does not say where the line goes")
	}
	table := filepath.Join(root, line[1])
	before, after, ok := strings.Cut(readFile(t, table), "\t"+line[2]+"\n")
	if !ok {
		t.Fatalf("%s has no %s", line[1], line[2])
	}
	writeFile(t, table, before+"\t"+line[2]+"\n"+line[3]+after)

	commands := regexp.MustCompile("(?s)```sh\n(.*?)```\n").FindStringSubmatch(page)
	if commands == nil {
		t.Fatal("the page has no commands")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", commands[1])
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"--- PASS: TestScenarios/marmot/healthy ", "--- PASS: TestScenarios/marmot/stopped ", "--- PASS: TestKinds_Clients "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for path, want := range map[string]string{
		"docs/kinds.md":                  "| `marmot` | `http://127.0.0.1:4160`, or `MARMOT_URL` | `MARMOT_TOKEN` | `/v1` | `GET /v1/models`, `GET /v1/version` |\n",
		"packaging/man/providerd.toml.5": ".It Cm marmot\nhttp://127.0.0.1:4160\n.Ev MARMOT_TOKEN\n",
	} {
		if !strings.Contains(readFile(t, filepath.Join(root, path)), want) {
			t.Errorf("%s has no %q", path, want)
		}
	}
}

// The page has every field that a row can have.
func TestAddingAKind_NamesEveryField(t *testing.T) {
	page := readFile(t, addingAKind)
	for file, typeName := range map[string]string{"kind.go": "kind", "../config/kind.go": "Kind"} {
		fields := fieldsOf(t, file, typeName)
		if len(fields) < 10 {
			t.Fatalf("%s has %d fields", typeName, len(fields))
		}
		for _, name := range fields {
			if !strings.Contains(page, "`"+name+"`") && !regexp.MustCompile(`(?m)^\t+`+name+`:`).MatchString(page) {
				t.Errorf("%s does not mention %s of %s", addingAKind, name, file)
			}
		}
	}
}

// fieldsOf are the names of a struct's fields, without embedded ones.
func fieldsOf(t *testing.T, file, typeName string) (names []string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != typeName {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					names = append(names, name.Name)
				}
			}
		}
		return false
	})
	return names
}

// copyOfModule is a copy of the part of the module that this package's tests need, to be
// changed.
func copyOfModule(t *testing.T) string {
	root := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		writeFile(t, filepath.Join(root, name), readFile(t, filepath.Join("../..", name)))
	}
	for _, name := range []string{"ctl/command", "daemon", "store", "docs", "packaging/man"} {
		if err := os.CopyFS(filepath.Join(root, name), os.DirFS(filepath.Join("../..", name))); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
