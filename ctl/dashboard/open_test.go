package dashboard

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func environment(variables ...string) func(string) string {
	return func(name string) string {
		for _, v := range variables {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func TestSystem_NoBrowser(t *testing.T) {
	for name, tc := range map[string]struct {
		goos      string
		euid      int
		variables []string
		missing   bool
		why       string
	}{
		"X11":           {"linux", 1000, []string{"DISPLAY=:0"}, false, ""},
		"Wayland":       {"linux", 1000, []string{"WAYLAND_DISPLAY=wayland-0"}, false, ""},
		"Text":          {"linux", 1000, nil, false, "no screen to start a browser on: open this address yourself"},
		"Root":          {"linux", 0, []string{"DISPLAY=:0"}, false, "as root, and no other user's may open this dashboard: start it as yourself"},
		"NoOpener":      {"freebsd", 1000, []string{"DISPLAY=:0"}, true, "xdg-open is not installed"},
		"MacOS":         {"darwin", 501, nil, false, ""},
		"RootOnMacOS":   {"darwin", 0, nil, false, "as root"},
		"Windows":       {"windows", -1, nil, false, ""},
		"BrokenWindows": {"windows", -1, nil, true, "rundll32 is not installed"},
	} {
		s := system{goos: tc.goos, euid: tc.euid, getenv: environment(tc.variables...), look: func(program string) (string, error) {
			if tc.missing {
				return "", errors.New("no such program")
			}
			return "/usr/bin/" + program, nil
		}}
		if why := s.noBrowser(); !strings.Contains(why, tc.why) || (why == "") != (tc.why == "") {
			t.Errorf("%s: %q, want %q", name, why, tc.why)
		}
	}
}

// Nobody else can read the file that opens the browser, or its folder. It is in the runtime
// folder if that is ours to write.
func TestSystem_WriteInvitation(t *testing.T) {
	const url = "http://127.0.0.1:8800/TICKET/"
	runtimeDir, temporary := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("TMP", temporary)
	for name, tc := range map[string]struct{ named, in string }{
		"RuntimeFolder": {runtimeDir, runtimeDir},
		"None":          {"", temporary},
		"Gone":          {filepath.Join(runtimeDir, "gone"), temporary},
		"Relative":      {"run", temporary},
	} {
		s := system{getenv: environment("XDG_RUNTIME_DIR=" + tc.named)}
		file, remove, err := s.writeInvitation(url)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if filepath.Dir(filepath.Dir(file)) != tc.in || filepath.Ext(file) != ".html" {
			t.Errorf("%s: %s", name, file)
		}
		for path, want := range map[string]fs.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
			info, err := os.Stat(path)
			if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
				t.Errorf("%s: %s has mode %v (%v)", name, path, info.Mode(), err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), `<meta http-equiv="refresh" content="0; url=`+url+`">`) || strings.Contains(string(text), "<script") {
			t.Errorf("%s: %s %v", name, text, err)
		}
		remove()
		if _, err := os.Stat(filepath.Dir(file)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: after it was removed: %v", name, err)
		}
	}
}
