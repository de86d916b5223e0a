package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// linked is all that providerctl links on Unix, but for what the standard library has
// within: a package more is pages more at each start, and an init. Where one of these
// names net, runtime/cgo comes with it, and libc in a build with cgo.
var linked = strings.Fields(`
	bufio bytes cmp context embed encoding encoding/base64 encoding/binary encoding/json errors fmt hash hash/crc32 io io/fs iter maps
	math math/bits net/netip net/url os os/exec os/signal path path/filepath reflect runtime runtime/debug slices sort strconv strings
	sync sync/atomic syscall time unicode unicode/utf16 unicode/utf8 unique unsafe weak
	golang.org/x/sys/unix golang.org/x/term github.com/rivo/uniseg
	github.com/providerd/providerd/cmd/providerctl
	github.com/providerd/providerd/ctl
	github.com/providerd/providerd/ctl/client
	github.com/providerd/providerd/ctl/command
	github.com/providerd/providerd/ctl/doctor
	github.com/providerd/providerd/ctl/examine
	github.com/providerd/providerd/ctl/units
	github.com/providerd/providerd/store/home
	github.com/providerd/providerd/store/provider
	github.com/providerd/providerd/store/trust
	github.com/providerd/providerd/store/userns
`)

// TestImports holds what providerctl must not grow into: it starts in a few
// milliseconds because it links little. Before you add a line above, look at what it
// costs: go test -run '^$' -bench ProviderctlAgainstCurl -benchtime 200x ./cmd
func TestImports(t *testing.T) {
	for _, system := range []string{"linux", "darwin"} {
		t.Run(system, func(t *testing.T) {
			list := exec.Command("go", "list", "-deps", ".")
			list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=1") // as a plain build may be
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			deps := strings.Fields(string(out))
			if len(deps) < 10 {
				t.Fatalf("only %d packages listed", len(deps))
			}
			for _, dep := range deps {
				if !strings.HasPrefix(dep, "internal/") && !strings.HasPrefix(dep, "vendor/") && !strings.Contains(dep, "/internal/") && !slices.Contains(linked, dep) {
					t.Errorf("providerctl links %s", dep)
				}
			}
		})
	}
}

// What a package makes at its init, each command makes, and few need: tables are made
// when they are asked for.
func TestInits(t *testing.T) {
	const most = 1 << 10 // bytes, of all packages but the standard library's
	path := filepath.Join(t.TempDir(), "providerctl")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	start := exec.Command(path, "version")
	start.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := start.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	inits := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes`).FindAllStringSubmatch(string(out), -1)
	if len(inits) < 10 {
		t.Fatalf("only %d packages say what they made:\n%s", len(inits), out)
	}
	total := 0
	for _, init := range inits {
		if strings.Contains(init[1], ".") { // as only a module's path has
			made, err := strconv.Atoi(init[2])
			if err != nil {
				t.Fatal(err)
			}
			total += made
			t.Logf("%s: %d bytes", init[1], made)
		}
	}
	if total > most {
		t.Errorf("%d bytes are made at the start, at most %d are allowed", total, most)
	}
}
