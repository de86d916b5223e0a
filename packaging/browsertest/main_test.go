// Package browsertest tests the dashboard as people use it: in a browser, over the real
// programs and a real daemon, whose providers are servers of the test. It is a module of its
// own, so that providerd does not depend on the browser's protocol.
//
//	.ci/run browser                            # installs Debian's Chromium, and runs all of it
//	go -C packaging/browsertest test ./...     # the same, if a Chromium is there
//	packaging/browsertest/screenshots          # takes the pictures in docs
//
// Without a browser it fails.
package browsertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// bin is the folder with the programs, and chromium is the browser that runs for all tests.
var (
	bin      string
	chromium *browser
)

func TestMain(m *testing.M) {
	if role := os.Getenv("BROWSERTEST_ROLE"); role != "" {
		play(role)
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "browsertest")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // another user runs a program in it
		panic(err)
	}
	bin = filepath.Join(dir, "bin")
	if err := build(bin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	chromium, err = startBrowser(filepath.Join(dir, "profile"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "browsertest:", err)
		return 1
	}
	defer chromium.close()
	return m.Run()
}

// build builds the programs of this tree, as users get them.
func build(into string) error {
	cmd := exec.Command("go", "build", "-o", into+string(filepath.Separator),
		"./cmd/providerd", "./cmd/providerctl", "./cmd/providerctl-dashboard")
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

func program(name string) string { return filepath.Join(bin, name) }
