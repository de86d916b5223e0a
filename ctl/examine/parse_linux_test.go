package examine

import (
	"maps"
	"testing"

	"github.com/providerd/providerd/ctl/doctor"
)

func TestProcesses_OnlyDaemons(t *testing.T) {
	for line, want := range map[string]bool{
		"providerd\x00":                                          true,
		"/usr/bin/providerd\x00--system\x00":                     true,
		"providerd\x00--config\x00c.toml\x00--log-json\x00":      true,
		"providerd\x00--log-json\x00--socket=/run/x\x00":         true,
		"providerd\x00config\x00check\x00":                       false,
		"providerd\x00--system\x00config\x00check\x00":           false,
		"providerd\x00--log-level\x00debug\x00service\x00up\x00": false,
		"": true, // it is hidden
	} {
		if got := isDaemon(line); got != want {
			t.Errorf("%q is a daemon: %v", line, got)
		}
	}
	if got := stateIn("7 (a) D) T 1 7 7"); got != "T" {
		t.Errorf("state %q", got)
	}
}

func TestProcesses_WhereTheyListen(t *testing.T) {
	const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000003 00000000 00000000 0001 03 11 /run/other/s
0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/a b/providerd.sock
0000000000000000: 00000002 00000000 00010000 0001 01 13 @abstract
0000000000000000: 00000002 00000000 00000000 0002 01 14
`
	for inode, want := range map[string]string{"11": "", "12": "/run/a b/providerd.sock", "13": "", "14": "", "15": ""} {
		if got := socketIn(table, map[string]bool{inode: true}); got != want {
			t.Errorf("%s: %q, want %q", inode, got, want)
		}
	}
}

func TestGroup(t *testing.T) {
	const groups = "root:x:0:\nproviderd:x:990:ann,bob\nempty:x:991:\n"
	for _, tt := range []struct {
		name, user string
		active     []int
		want       doctor.Group
	}{
		{"providerd", "ann", []int{1000, 990}, doctor.Group{Name: "providerd", Exists: true, Listed: true, Active: true}},
		{"providerd", "bob", []int{1001}, doctor.Group{Name: "providerd", Exists: true, Listed: true}},
		{"providerd", "ann2", []int{1000}, doctor.Group{Name: "providerd", Exists: true}},
		{"990", "ann", nil, doctor.Group{Name: "990", Exists: true, Listed: true}},
		{"empty", "", []int{991}, doctor.Group{Name: "empty", Exists: true, Active: true}},
		{"other", "ann", []int{0}, doctor.Group{Name: "other"}},
	} {
		if got := groupIn(groups, tt.user, tt.name, tt.active); got != tt.want {
			t.Errorf("%s in %s: %+v", tt.user, tt.name, got)
		}
	}
	if got := nameOf("root:x:0:0::/:\nann:x:1000:1000::/home/ann:\n", 1000); got != "ann" {
		t.Errorf("the name is %q", got)
	}
}

func TestProperties(t *testing.T) {
	got := properties("Type=notify\nLoadCredential=\nDropInPaths=/a /b\nEnvironmentFiles=/x (ignore_errors=yes)\nEnvironmentFiles=/y (ignore_errors=no)\nnonsense\n")
	want := map[string]string{"Type": "notify", "LoadCredential": "", "DropInPaths": "/a /b", "EnvironmentFiles": "/x (ignore_errors=yes) /y (ignore_errors=no)"}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
