//go:build !windows

package packaging_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBuild_Versions checks how each format writes a version. Each format sorts the versions
// in the order of this list.
func TestBuild_Versions(t *testing.T) {
	for _, tc := range []struct{ version, programs, deb, apk string }{
		{"0.0.0-pre20260102030405+g0123456789ab", "v0.0.0-pre20260102030405+g0123456789ab", "0.0.0~pre20260102030405+g0123456789ab-1", "0.0.0_pre20260102030405-r1"},
		{"v1.2.0-alpha", "v1.2.0-alpha", "1.2.0~alpha-1", "1.2.0_alpha-r1"},
		{"v1.2.0-rc1", "v1.2.0-rc1", "1.2.0~rc1-1", "1.2.0_rc1-r1"},
		{"1.2.0-rc.2", "v1.2.0-rc.2", "1.2.0~rc2-1", "1.2.0_rc2-r1"},
		{"1.2.0-rc2+3.gabc", "v1.2.0-rc2+3.gabc", "1.2.0~rc2+3.gabc-1", "1.2.0_rc2_p3-r1"},
		{"1.2.0", "v1.2.0", "1.2.0-1", "1.2.0-r1"},
		{"1.2.0+9.gabc", "v1.2.0+9.gabc", "1.2.0+9.gabc-1", "1.2.0_p9-r1"},
		{"1.2.0+10.gabc.dirty", "v1.2.0+10.gabc.dirty", "1.2.0+10.gabc.dirty-1", "1.2.0_p10-r1"},
		{"1.10.0", "v1.10.0", "1.10.0-1", "1.10.0-r1"},
	} {
		out, err := exec.Command("./build.sh", "--print-version", tc.version).CombinedOutput()
		want := "providerd " + tc.programs + "\ndeb " + tc.deb + "\nrpm " + tc.deb + "\napk " + tc.apk + "\n"
		if string(out) != want || err != nil {
			t.Errorf("%s: got %s (%v), want %s", tc.version, out, err, want)
		}
	}
}

func TestBuild_RefusesWhatItCannotMake(t *testing.T) {
	for _, tc := range []struct{ args, says string }{
		{"--print-version 1.2", "not a version that deb, rpm and apk can all sort: 1.2"},
		{"--print-version 1.2.3-nightly", "not a version"},
		{"--print-version 1.2.3-rc1-2", "not a version"},
		{"--only deb/sparc 1.2.3", "no target is called deb/sparc\nbuild.sh: try: packaging/build.sh --list"},
		{"--nonsense", "no such option: --nonsense"},
	} {
		out, err := exec.Command("./build.sh", strings.Fields(tc.args)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), tc.says) {
			t.Errorf("build.sh %s: %s (%v), want %s", tc.args, out, err, tc.says)
		}
	}
}
