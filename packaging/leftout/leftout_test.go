package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is a module with these files, by name.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// leftOut runs this program in a module.
func leftOut(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "LEFTOUT_TEST=main", "GOWORK=off", "GOFLAGS=-count=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestMain(m *testing.M) {
	if os.Getenv("LEFTOUT_TEST") == "main" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestLeftOut(t *testing.T) {
	const head = "package a\nimport \"testing\"\n"
	for _, tt := range []struct {
		name, test string
		fails      bool
		says       []string
		not        []string
	}{
		{"Nothing", `func TestA(t *testing.T) { t.Log("quiet") }`, false,
			[]string{"ok  \texample.com/m/a", "No test was left out.", ".ci/run --list"}, []string{"quiet"}},
		{"ByReason", `
func TestA(t *testing.T) { t.Log("before"); t.Skip("only root can become another user") }
func TestB(t *testing.T) {
	for range 4 { t.Run("C", func(t *testing.T) { t.Skip("exec: \"promtool\": executable file not found in $PATH") }) }
}
func TestD(t *testing.T) { t.SkipNow() }
func TestE(t *testing.T) { t.Skip("root may open every socket") }
func TestF(t *testing.T) { t.Skip("only root may map more than one user") }
func TestG(t *testing.T) { t.Skip("another module has these tests: packaging/browsertest") }
func TestH(t *testing.T) { t.Skip("another module has these tests: packaging/fleettest") }`, false,
			[]string{
				"Left out: 10 tests.\n",
				"  root may open every socket\n    to run: as an ordinary user\n    a: TestE\n",
				"  only root may map more than one user\n    to run: as root: ",
				"  only root can become another user\n    to run: as root: sudo env \"PATH=$PATH\" go test ./...\n    a: TestA\n",
				"  exec: \"promtool\": executable file not found in $PATH\n    to run: install it; on Debian, .ci/run tools does\n    a: TestB/C, TestB/C#01, TestB/C#02, and 1 more\n",
				"  another module has these tests: packaging/browsertest\n    to run: .ci/run browser",
				"  another module has these tests: packaging/fleettest\n    to run: .ci/run fleet",
				"  it does not say why\n    a: TestD\n",
			}, []string{"before"}},
		{"AFailure", `func TestA(t *testing.T) { t.Error("here is why") }`, true,
			[]string{"here is why", "--- FAIL: TestA", "FAIL\texample.com/m/a"}, []string{"left out"}},
		{"APanic", `func TestA(t *testing.T) { panic("here is why") }`, true,
			[]string{"here is why", "FAIL\texample.com/m/a"}, nil},
		{"ABuildThatFails", `func TestA(t *testing.T) { nonsense() }`, true,
			[]string{"undefined: nonsense", "FAIL\texample.com/m/a"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := leftOut(t, module(t, map[string]string{"a/a_test.go": head + tt.test}))
			if (err != nil) != tt.fails {
				t.Errorf("it ended with %v", err)
			}
			for _, part := range tt.says {
				if !strings.Contains(out, part) {
					t.Errorf("it does not say %q", part)
				}
			}
			for _, part := range tt.not {
				if strings.Contains(out, part) {
					t.Errorf("it says %q", part)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}
