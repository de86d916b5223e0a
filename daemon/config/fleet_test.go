package config_test

import (
	"encoding/base64"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

const fleetText = `
[fleet]
name = "lab"
endpoints = ["http://127.0.0.1:2379", "http://[::1]:2379"]
fleet_key_file = "/k"
`

// fleetOf reads a configuration with these files.
func fleetOf(t *testing.T, text string, files map[string]string, mode fs.FileMode) *config.Config {
	t.Helper()
	c, err := config.Parse("p.toml", []byte(text), nil, config.Env{ReadFile: func(name string, _ int64) ([]byte, fs.FileMode, error) {
		data, ok := files[name]
		if !ok {
			return nil, 0, fs.ErrNotExist
		}
		return []byte(data), mode, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFleet_KeyHasOneForm(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcde\xff")
	text := config.FleetKeyText(key)
	if len(text) != 43 || strings.ContainsAny(text, "+/= \n") {
		t.Errorf("%q", text)
	}
	good := map[string]string{"ours": text + "\n", "padded": base64.StdEncoding.EncodeToString(key)}
	for name, in := range good {
		c := fleetOf(t, fleetText, map[string]string{"/k": in}, 0o600)
		if f := c.Fleet; f == nil || string(f.Key) != string(key) || len(f.Faults)+len(c.Faults) != 0 || len(c.Warnings) != 1 {
			t.Errorf("%s: %+v %+v", name, f, c.Warnings)
		}
	}
	for name, in := range map[string]string{
		"short": text[:42], "long": text + "A", "31 bytes": config.FleetKeyText(key[:31]), "33 bytes": config.FleetKeyText(append(slices.Clone(key), 1)),
		"nothing": "", "hex": strings.Repeat("0f", 32), "two": text + "\n" + text,
	} {
		c := fleetOf(t, fleetText, map[string]string{"/k": in}, 0o600)
		if f := c.Fleet; f == nil || f.Key != nil || len(f.Faults) != 1 || len(c.Faults) != 1 || !c.FleetHas(c.Faults[0]) || c.Faults[0].Fix == "" {
			t.Errorf("%s: %+v %+v", name, f, c.Faults)
		} else if in != "" && strings.Contains(f.Faults[0], strings.TrimSpace(in)) {
			t.Errorf("%s: the fault repeats the key", name)
		}
	}
}

func TestFleet_ItsFilesAreNoErrorOfTheConfiguration(t *testing.T) {
	text := strings.Replace(fleetText, "http://127.0.0.1", "https://etcd-1", 1) + "ca_file = \"/ca\"\ncert_file = \"/c\"\nkey_file = \"/p\"\n"
	c := fleetOf(t, text, nil, 0)
	if f := c.Fleet; len(f.Faults) != 4 || c.FaultError(nil) == nil {
		t.Errorf("%q", f.Faults)
	}
	c = fleetOf(t, text, map[string]string{"/k": config.FleetKeyText(make([]byte, 32)), "/ca": "x", "/c": "x", "/p": "x"}, 0o644)
	if f := c.Fleet; len(f.Faults) != 2 || len(c.Warnings) < 2 {
		t.Errorf("%q %q", f.Faults, c.Warnings)
	}
}

func TestFleet_MemberIsTheHostByDefault(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	key := map[string]string{"/k": config.FleetKeyText(make([]byte, 32))}
	if got := fleetOf(t, fleetText, key, 0o600).Fleet.Member; got != host {
		t.Errorf("member %q, want %q", got, host)
	}
	if got := fleetOf(t, fleetText+"member = \"gpu3\"\n", key, 0o600).Fleet; got.Member != "gpu3" || got.Trust != config.Verify {
		t.Errorf("%+v", got)
	}
}

func TestFleet_ShownAsAFileThatReadsTheSame(t *testing.T) {
	key := map[string]string{"/k": config.FleetKeyText([]byte("0123456789abcdef0123456789abcdef"))}
	c := fleetOf(t, fleetText+"member = \"gpu3\"\ntrust = \"follow\"\n", key, 0o600)
	again := fleetOf(t, c.Show(), key, 0o600)
	if c.Show() != again.Show() || string(again.Fleet.Key) != string(c.Fleet.Key) || again.Fleet.Trust != config.Follow {
		t.Errorf("%s", again.Show())
	}
	for _, secret := range slices.Collect(maps.Values(key)) {
		if strings.Contains(c.Show(), secret) {
			t.Error("the key is shown")
		}
	}
	if none := fleetOf(t, "autodetect = false", nil, 0); none.Fleet != nil || strings.Contains(none.Show(), "[fleet]") {
		t.Errorf("%+v", none.Fleet)
	}
}

func TestConfig_AppliedFleet(t *testing.T) {
	files := map[string]string{"/k": config.FleetKeyText(make([]byte, 32)), "/k2": config.FleetKeyText([]byte("0123456789abcdef0123456789abcdef"))}
	rotated := map[string]string{"/k": files["/k2"]}
	in := func(more string) string { return fleetText + "member = \"gpu3\"\n" + more }
	for name, tt := range map[string]struct {
		before, after string
		files         map[string]string
		want          []string
	}{
		"Nothing": {in(""), in(""), files, nil},
		"Trust":   {in(""), in("trust = \"follow\"\n"), files, []string{`[fleet] trust = "follow"`}},
		"Two": {in(""), strings.NewReplacer(`"lab"`, `"attic"`, `"gpu3"`, `"gpu4"`).Replace(in("")), files,
			[]string{`[fleet] name = "attic"`, `[fleet] member = "gpu4"`}},
		"Endpoints": {in(""), strings.Replace(in(""), `"http://127.0.0.1:2379", `, "", 1), files, []string{`[fleet] endpoints = ["http://[::1]:2379"]`}},
		"Joins": {"", in(""), files, []string{`[fleet] name = "lab"`, `[fleet] endpoints = ["http://127.0.0.1:2379", "http://[::1]:2379"]`,
			`[fleet] fleet_key_file = "/k"`, `[fleet] member = "gpu3"`, `[fleet] trust = "verify"`}},
		"Leaves":       {in(""), "", files, []string{"no [fleet]"}},
		"AnotherFile":  {in(""), strings.Replace(in(""), `"/k"`, `"/k2"`, 1), files, []string{`[fleet] fleet_key_file = "/k2"`}},
		"AnotherKey":   {in(""), in(""), rotated, []string{"[fleet] another key in fleet_key_file"}},
		"WithoutAFile": {in("ca_file = \"/ca\"\n"), in(""), files, []string{"[fleet] without ca_file"}},
		"None":         {"", "", files, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := fleetOf(t, tt.before, files, 0o600), fleetOf(t, tt.after, tt.files, 0o600)
			if got := after.AppliedFleet(before); !slices.Equal(got, tt.want) {
				t.Errorf("%q", got)
			}
		})
	}
}
