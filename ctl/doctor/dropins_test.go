package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A drop-in is blamed for what it takes of the unit that is shipped, and for nothing else.
func TestExamine_DropIns(t *testing.T) {
	shipped, err := os.ReadFile(filepath.Join("..", "..", "packaging", "systemd", "providerd.service"))
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{"LoadCredential": "key:/etc/providerd/credentials", "EnvironmentFiles": "/etc/providerd/environment (ignore_errors=yes)",
		"RuntimeDirectory": "providerd", "StateDirectory": "providerd", "Type": "notify", "NotifyAccess": "main", "PrivateUsers": "no", "PrivateNetwork": "no", "IPAddressDeny": ""}
	for _, tt := range []struct{ setting, value, says string }{
		{"", "", ""},
		{"Type", "notify-reload", ""}, // which is more than is needed
		{"LoadCredential", "", "do not arrive"},
		{"EnvironmentFiles", "", "environment is not read"},
		{"RuntimeDirectory", "", "socket's folder"},
		{"StateDirectory", "", "database's folder"},
		{"Type", "simple", "ready"},
		{"NotifyAccess", "none", "learn"},
		{"PrivateUsers", "yes", "who asks"},
		{"PrivateNetwork", "yes", "no provider"},
		{"IPAddressDeny", "0.0.0.0/0 ::/0", "no provider"},
	} {
		t.Run(tt.setting+"="+tt.value, func(t *testing.T) {
			f := well()
			u := &f.Units[0]
			u.Fragment = "\n" + string(shipped)
			for name, value := range good {
				u.Values[name] = value
			}
			u.Values["DropInPaths"] = "/etc/systemd/system/providerd.service.d/o.conf"
			if tt.setting != "" {
				u.Values[tt.setting] = tt.value
			}
			found := findings(Examine(f), "drop-ins")[0]
			said := strings.Join(found.Details, "\n")
			if tt.says == "" && found.Level != OK || tt.says != "" && (found.Level != Warn || !strings.Contains(said, tt.says)) {
				t.Errorf("%+v", found)
			}
		})
	}
}
