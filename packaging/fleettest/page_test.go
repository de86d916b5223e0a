package fleettest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The commands of docs/fleet.md make a fleet, as they are. What differs here: the servers are
// loopback addresses, files of /etc are in a folder, and nobody but root owns them.
func TestPage_SetsUpAFleet(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		p := newPage(t, e)
		steps := blocks(t, "../../docs/fleet.md")
		p.run(p.folder, steps["umask 077"])
		own := filepath.Join(p.folder, "fleet-lab")
		var settings []string // of all servers, which share the folder here, before one of them reads it
		for _, server := range servers {
			p.run(own, strings.Replace(steps["server=etcd-1"], "server=etcd-1", "server="+server, 1))
			file, err := os.ReadFile(p.etc("default/etcd"))
			must(t, err)
			settings = append(settings, string(file))
		}
		for _, s := range settings {
			p.launch(s)
		}
		healthy := strings.SplitAfter(steps["export ETCDCTL_API=3"], "endpoint health\n")[0]
		(&cluster{t: t}).until("etcd is healthy", func() error { return p.try(own, healthy) })
		p.run(own, steps["export ETCDCTL_API=3"])
		for _, member := range []string{"gpu2", "gpu1"} {
			must(t, os.RemoveAll(p.etc("providerd")))
			must(t, os.MkdirAll(p.etc("providerd"), 0o755))
			said := p.run(own, strings.Replace(steps["member=gpu1"], "member=gpu1", "member="+member, 1))
			for _, want := range []string{"ok       member " + member + ": the name is free\n", "ok       etcd refuses what is not the fleet's\n"} {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in:\n%s", want, said)
				}
			}
			if n := strings.Count(said, ": reached"); n != len(servers) || strings.Contains(said, "warning") {
				t.Errorf("%d servers are reached:\n%s", n, said)
			}
			for path, mode := range map[string]os.FileMode{"credentials": 0o700, "credentials/fleet_key": 0o600, "fleet": 0o750, "fleet/member.key": 0o640} {
				if info, err := os.Stat(p.etc("providerd/" + path)); err != nil || info.Mode().Perm() != mode {
					t.Errorf("%s: %v, %v", path, info.Mode(), err)
				}
			}
		}
	})
}

var servers = []string{"etcd-1", "etcd-2", "etcd-3"}

// A page is a run of a page's commands.
type page struct {
	t       *testing.T
	edition edition
	folder  string
	other   *strings.Replacer // what is different here
	path    string
}

func newPage(t *testing.T, e edition) *page {
	t.Helper()
	program, err := providerd()
	must(t, err)
	p := &page{t: t, edition: e, folder: t.TempDir()}
	programs := filepath.Join(p.folder, "bin")
	for _, folder := range []string{programs, p.etc("default"), p.etc("providerd")} {
		must(t, os.MkdirAll(folder, 0o755))
	}
	must(t, os.Symlink(program, filepath.Join(programs, "providerd")))
	must(t, os.Symlink(e.client(t), filepath.Join(programs, "etcdctl")))
	for _, whole := range []string{"apt-get", "systemctl", "providerctl"} { // they need a whole machine
		must(t, os.Symlink("/bin/true", filepath.Join(programs, whole)))
	}
	p.path = programs + ":" + os.Getenv("PATH")

	network := fmt.Sprintf("127.%d.%d.", 100+os.Getpid()>>8&0x7f, os.Getpid()&0xff)
	first := 1
	if e.older {
		first = 4
	}
	words := []string{
		" -g etcd", "", " -g providerd", "", // nobody of that name is here
		"DNS:$server", "IP:$server,IP:127.0.0.1", // from which they connect
		"https://0.0.0.0:", "https://$server:",
		"/var/lib/etcd", filepath.Join(p.folder, "var"), "/etc/", p.etc("") + "/",
		`"key_fleet_key"`, `"` + p.etc("providerd/credentials/fleet_key") + `"`, // systemd's part
		"providerd fleet check", "providerd fleet check --config " + p.etc("providerd/providerd.toml"),
	}
	for i, server := range servers {
		words = append(words, server, network+fmt.Sprint(first+i))
	}
	p.other = strings.NewReplacer(words...)
	return p
}

func (p *page) etc(name string) string { return filepath.Join(p.folder, "etc", name) }

// try runs commands in a folder.
func (p *page) try(dir, commands string) error {
	_, err := p.output(dir, commands)
	return err
}

func (p *page) run(dir, commands string) string {
	p.t.Helper()
	if commands == "" {
		p.t.Fatal("the page lacks a step")
	}
	said, err := p.output(dir, commands)
	if err != nil {
		p.t.Fatalf("%v: %s\n%s", err, commands, said)
	}
	return said
}

func (p *page) output(dir, commands string) (string, error) {
	cmd := exec.CommandContext(brief(p.t), "sh", "-euc", p.other.Replace(commands))
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + p.path, "HOME=" + p.folder}
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// launch starts a server with the settings of a file, as Debian's unit does.
func (p *page) launch(settings string) {
	p.t.Helper()
	cmd := exec.Command(p.edition.path)
	cmd.Env = append(strings.Fields(settings), "ETCD_DATA_DIR="+p.t.TempDir(), // each machine has its own
		"ETCD_UNSUPPORTED_ARCH=arm64", "HOME=/nonexistent")
	spawn(p.t, cmd)
}

// blocks are the commands of a page, by their first line.
func blocks(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	found := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		first, _, _ := strings.Cut(block[1], "\n")
		first, _, _ = strings.Cut(first, "    #")
		first, _, _ = strings.Cut(first, " ETCDCTL_ENDPOINTS")
		found[first] = block[1]
	}
	return found
}

// client is etcdctl of the same edition.
func (e edition) client(t *testing.T) string {
	t.Helper()
	if e.older {
		path := filepath.Join(filepath.Dir(e.path), "etcdctl")
		_, err := os.Stat(path)
		switch {
		case err == nil:
		case os.Getenv("CI") != "":
			t.Fatal("install etcd-client too: ", err)
		default:
			t.Skip("install etcd-client too: ", err)
		}
		return path
	}
	path := filepath.Join(t.TempDir(), "etcdctl")
	began := time.Now()
	must(t, build("etcdctl", "go.etcd.io/etcd/etcdctl/v3"))
	t.Logf("etcdctl built in %v", time.Since(began))
	must(t, os.Symlink(filepath.Join(bin, "etcdctl"), path))
	return path
}
