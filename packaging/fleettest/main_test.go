// Package fleettest tests a fleet on real etcd servers: the bus alone, and real daemons in
// network namespaces. It is a module of its own, so that providerd does not depend on etcd's
// server, nor on its client.
//
//	.ci/run fleet                                # installs what it needs, and runs all of it
//	go -C packaging/fleettest test ./...         # the same, if that is there
//	go -C packaging/fleettest test -short ./...  # without the scenarios in namespaces
//
// etcd 3.7 is built from its module, which takes half a minute the first time; Go's build
// cache keeps it. The essential tests run on an older etcd too, 3.4 or later, if its binary is
// there (/usr/bin/etcd, or what OLDER_ETCD names). Debian has one in etcd-server, and
// etcdctl in etcd-client.
package fleettest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// bin is the folder with the programs.
var bin string

func TestMain(m *testing.M) {
	if role := os.Getenv("FLEETTEST_ROLE"); role != "" {
		play(role)
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "fleettest"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(bin)
	if err := os.Chmod(bin, 0o755); err != nil {
		panic(err)
	}
	began := time.Now()
	if err := build("etcd", "go.etcd.io/etcd/server/v3"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("fleettest: etcd built in %v\n", time.Since(began).Round(time.Second))
	return m.Run()
}

func build(name, pkg string) error {
	cmd := exec.Command("go", "build", "-o", filepath.Join(bin, name), pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// An edition is an etcd server to test on.
type edition struct {
	path  string
	older bool
}

func newest() edition { return edition{filepath.Join(bin, "etcd"), false} }

// older is Debian's etcd; false: it is not on this machine.
var older = sync.OnceValues(func() (edition, bool) {
	path := os.Getenv("OLDER_ETCD")
	if path == "" {
		path = "/usr/bin/etcd"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	return edition{path, true}, err == nil && strings.Contains(string(out), "etcd Version: 3.")
})

// onEach runs a test on etcd 3.7, and on an older one if it is there.
func onEach(t *testing.T, test func(t *testing.T, e edition)) {
	t.Run("Newest", func(t *testing.T) { t.Parallel(); test(t, newest()) })
	t.Run("Older", func(t *testing.T) {
		t.Parallel()
		e, ok := older()
		switch {
		case ok:
			test(t, e)
		case os.Getenv("CI") != "":
			t.Fatal("an older etcd is not here: install etcd-server, or set OLDER_ETCD")
		default:
			t.Skip("an older etcd is not here: install etcd-server, or set OLDER_ETCD")
		}
	})
}
