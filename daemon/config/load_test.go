package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
)

// diskEnv is env with real files and the configuration folder dir.
func diskEnv(dir string, vars map[string]string) config.Env {
	e := env(vars, nil)
	e.ReadFile = nil
	inner := e.Getenv
	e.Getenv = func(name string) string {
		if name == "XDG_CONFIG_HOME" {
			return dir
		}
		return inner(name)
	}
	return e
}

func write(t *testing.T, path, data string, mode fs.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // the umask may have taken bits away
		t.Fatal(err)
	}
	return path
}

func TestLoad_NoFile(t *testing.T) {
	for _, c := range []struct {
		name string
		vars map[string]string
		want []string
	}{
		{"NoVariables", nil, []string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic"}},
		{"CloudKindsWhoseKeyIsSet", map[string]string{"GROQ_API_KEY": "k", "GOOGLE_API_KEY": "k", "OPENAI_API_KEY": "k"},
			[]string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic", "groq", "gemini"}},
		{"BlankIsNotSet", map[string]string{"GROQ_API_KEY": " "}, []string{"ollama", "lmstudio", "llamacpp", "openai", "anthropic"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := config.Load("", false, kinds(), diskEnv(t.TempDir(), c.vars))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, ids(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Path != "" || !got.Autodetect || got.Warnings != nil {
				t.Errorf("path %q, autodetect %v, warnings %q", got.Path, got.Autodetect, got.Warnings)
			}
		})
	}
}

func TestLoad_DefaultPath(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "providerd", "providerd.toml"), "[[provider]]\nid = \"a\"\nkind = \"lmstudio\"", 0o644)
	c, err := config.Load("", false, kinds(), diskEnv(dir, nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.Path != path || len(c.Providers) != 1 {
		t.Errorf("path %s, %d providers", c.Path, len(c.Providers))
	}
}

func TestLoad_BadFile(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, path, want string }{
		{"Absent", filepath.Join(dir, "absent.toml"), "read the configuration: no such file or directory"},
		{"Folder", dir, "read the configuration: is a directory"},
		{"TooLarge", write(t, filepath.Join(dir, "large.toml"), strings.Repeat("# large\n", 1<<17+1), 0o644), "read the configuration: is larger than 1024 KiB"},
		{"Device", os.DevNull, "read the configuration: is not a plain file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(c.path, true, kinds(), diskEnv(dir, nil))
			var e *config.Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.path+": "+c.want) || e.Hint() == "" {
				t.Errorf("got %v", err)
			}
			if c.name == "Absent" && !errors.Is(err, fs.ErrNotExist) {
				t.Error("the cause is lost")
			}
		})
	}
}

// TestLoad_UnreadableIsNotAbsent checks that an existing but unreadable file does not silently
// become the built-in defaults.
func TestLoad_UnreadableIsNotAbsent(t *testing.T) {
	e := env(nil, nil)
	e.ReadFile = func(name string, _ int64) ([]byte, fs.FileMode, error) {
		return nil, 0, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	_, err := config.Load("", false, kinds(), e)
	const want = "/home/ada/.config/providerd/providerd.toml: read the configuration: permission denied\n     = let the user that runs providerd read it"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestLoad_KeyFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := t.TempDir()
	const key = "k-from-disk"
	large := write(t, filepath.Join(dir, "large"), strings.Repeat("k", 64<<10+1), 0o600)
	loose := write(t, filepath.Join(dir, "loose"), key, 0o644)
	for _, c := range []struct{ name, path, warning, err string }{
		{"Private", write(t, filepath.Join(dir, "private"), key+"\n", 0o600), "", ""},
		{"GroupMayRead", write(t, filepath.Join(dir, "group"), key, 0o640), "", ""},
		{"OthersMayRead", loose, "every user of this machine can read the key: chmod 600 " + loose, ""},
		{"TooLarge", large, "", "is larger than 64 KiB"},
		{"Folder", dir, "", "is a directory"},
		{"Device", "/dev/zero", "", "is not a plain file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := write(t, filepath.Join(dir, "p.toml"), "[[provider]]\nid = \"a\"\nkind = \"groq\"\napi_key_file = '"+c.path+"'", 0o644)
			got, err := config.Load(file, true, kinds(), diskEnv(dir, nil))
			if err != nil {
				t.Fatal(err)
			}
			if c.err != "" {
				if err := got.FaultError(nil); err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(got.Providers[0].KeyFault, c.err) {
					t.Errorf("got %v, and %q of the provider, want %s", err, got.Providers[0].KeyFault, c.err)
				}
				return
			}
			if p := got.Providers[0]; p.Key.Reveal() != key {
				t.Errorf("key %q", p.Key.Reveal())
			}
			want := ""
			if c.warning != "" {
				want = file + ":4: " + c.warning
			}
			if w := strings.Join(got.Warnings, "\n"); w != want {
				t.Errorf("warnings %q, want %q", w, want)
			}
		})
	}
}
