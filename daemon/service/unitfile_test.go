package service_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/providerd/providerd/daemon/service"
)

// The unit is read as systemd reads it: drop-ins after it, by their names, and an empty
// value takes away what was set before.
func TestUnitSettings(t *testing.T) {
	const shipped = "usr/lib/systemd/system/providerd.service"
	unit := "[Unit]\nUser=nobody\n[Service]\n# User=nobody\nUser=providerd\nGroup = providerd\nProtectHome=yes\nSupplementaryGroups=a \\\n  b\n[Install]\nUser=nobody\n"
	for name, c := range map[string]struct {
		files map[string]string
		user  string
		none  bool
	}{
		"AsShipped":         {map[string]string{shipped: unit}, "providerd", false},
		"NoUnit":            {map[string]string{"etc/systemd/system/providerd.service.d/a.conf": "[Service]\nUser=alice\n"}, "", true},
		"DropIn":            {map[string]string{shipped: unit, "etc/systemd/system/providerd.service.d/override.conf": "[Service]\nUser=alice\n"}, "alice", false},
		"DropInForAll":      {map[string]string{shipped: unit, "run/systemd/system/service.d/zzz.conf": "[Service]\nUser=bob\n"}, "bob", false},
		"LastNameWins":      {map[string]string{shipped: unit, "etc/systemd/system/providerd.service.d/10.conf": "[Service]\nUser=alice\n", "usr/lib/systemd/system/providerd.service.d/20.conf": "[Service]\nUser=bob\n"}, "bob", false},
		"OneNameIsMasked":   {map[string]string{shipped: unit, "etc/systemd/system/providerd.service.d/10.conf": "", "usr/lib/systemd/system/providerd.service.d/10.conf": "[Service]\nUser=bob\n"}, "providerd", false},
		"AnotherUnitBefore": {map[string]string{shipped: unit, "etc/systemd/system/providerd.service": "[Service]\nUser=carol\n"}, "carol", false},
		"Reset":             {map[string]string{shipped: unit, "etc/systemd/system/providerd.service.d/a.conf": "[Service]\nUser=\n"}, "", false},
		"AnotherSection":    {map[string]string{shipped: unit, "etc/systemd/system/providerd.service.d/a.conf": "[Unit]\nUser=alice\n"}, "providerd", false},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, text := range c.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := service.UnitSettings(root)
			if (got == nil) != c.none {
				t.Fatalf("%v", got)
			}
			last := ""
			if users := got["User"]; len(users) > 0 {
				last = users[len(users)-1]
			}
			if last != c.user {
				t.Errorf("User=%q, want %q", last, c.user)
			}
			if name == "AsShipped" && !slices.Equal(got["SupplementaryGroups"], []string{"a    b"}) {
				t.Errorf("SupplementaryGroups=%q", got["SupplementaryGroups"])
			}
		})
	}
}
