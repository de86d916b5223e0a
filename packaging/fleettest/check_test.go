package fleettest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
)

// providerd is the program, built once.
var providerd = sync.OnceValues(func() (string, error) {
	path := filepath.Join(bin, "providerd-check")
	out, err := exec.Command("go", "build", "-C", "../..", "-o", path, "./cmd/providerd").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// check runs providerd fleet check as a member with that certificate would.
func (c *cluster) check(fleet string, files pair) (text string, good bool) {
	c.t.Helper()
	program, err := providerd()
	must(c.t, err)
	dir := c.t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(c.t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	key := write("key", strings.Repeat("A", 43)+"\n")
	file := write("providerd.toml", fmt.Sprintf("[fleet]\nname = %q\nendpoints = [%q]\nca_file = %q\ncert_file = %q\nkey_file = %q\nfleet_key_file = %q\n",
		fleet, c.endpoints()[0], c.authority.file(), files.cert, files.key, key))
	out, err := exec.CommandContext(brief(c.t), program, "fleet", "check", "--config", file).CombinedOutput()
	return string(out), err == nil
}

func TestCheck_TriesRoleNameAndClock(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, e edition) {
		c := start(t, e, 1, "gpu3")
		files := c.authority.client("gpu3", time.Hour)
		text, good := c.check("lab", files)
		for _, want := range []string{"warning  certificate of gpu3: expires soon", "reached", "member gpu3: the name is free", "as long as they should", "refuses what is not the fleet's"} {
			if !good || !strings.Contains(text, want) {
				t.Errorf("good: %v, want %q in:\n%s", good, want, text)
			}
		}
		s, all := c.member("gpu3")
		for _, change := range all.Changes {
			if strings.HasPrefix(change.Key, "check/") {
				t.Errorf("the check left %s", change.Key)
			}
		}
		host, _ := os.Hostname()
		for name, want := range map[string]string{host: "member gpu3: it is in the fleet, on a machine called " + host, "": "on a machine whose name is not known"} {
			if _, err := s.Put(brief(t), "members/gpu3", wire.EncodeMember(wire.Member{Host: name})[0], true); err != nil {
				t.Fatal(err)
			}
			if text, good = c.check("lab", files); !good || !strings.Contains(text, want) {
				t.Errorf("good: %v, want %q in:\n%s", good, want, text)
			}
		}
		if _, err := s.Put(brief(t), "members/gpu3", []byte(`{"host":"other"}`), true); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(brief(t), "members/odd", wire.EncodeMember(wire.Member{Key: wire.KeyTag([]byte("another"))})[0], true); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name, fleet string
			files       pair
			want        string
		}{
			{"a name that is taken", "lab", files, "another machine has that name, other"},
			{"another key", "lab", files, "FAILED   fleet_key: another one than that of odd, so nothing is shared"},
			{"no role for that fleet", "theirs", files, "etcdctl user grant-role"},
			{"an expired certificate", "lab", c.authority.in(t.TempDir()).client("gpu3", -time.Minute), "FAILED   certificate of gpu3: expired on "},
		} {
			if text, good = c.check(tt.fleet, tt.files); good || !strings.Contains(text, tt.want) {
				t.Errorf("%s: good: %v:\n%s", tt.name, good, text)
			}
		}
	})
}
