package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// A daemon says of itself what whoever asks may not be able to see, and of a key never a
// part.
func TestInfo_Setup(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://me:Zq7pLEAK0wXy4@127.0.0.1:9") // nobody is asked through it
	t.Setenv("NO_PROXY", "127.0.0.1")
	const (
		good = "autodetect = false\n[[provider]]\nid = \"a\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:9\"\n" +
			"[[provider]]\nid = \"wrong\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:9\"\napi_key_env = \"WRONG_KEY\"\n" +
			"[[provider]]\nid = \"lost\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:9\"\napi_key_file = \"/nonexistent/key\"\n"
	)
	r := runDaemon(t, good, map[string]string{"WRONG_KEY": `"Zq7pLEAK0wXy4"`})
	setup := func() *provider.Setup {
		t.Helper()
		var info provider.DaemonInfo
		_, body := r.call("GET", "/api/daemon", &info)
		if strings.Contains(body, "LEAK") || info.Setup == nil {
			t.Fatalf("%s", body)
		}
		return info.Setup
	}
	s := setup()
	if s.Caller.UID == nil || *s.Caller.UID != uint32(os.Getuid()) || !s.Caller.Admin || s.Caller.Hint != "" {
		t.Errorf("the daemon's own user is %+v", s.Caller)
	}
	if s.Proxies["HTTPS_PROXY"] != "http://***@127.0.0.1:9" || s.Proxies["NO_PROXY"] != "127.0.0.1" {
		t.Errorf("proxies %v", s.Proxies)
	}
	want := []provider.KeyInUse{
		{ID: "wrong", Source: "env WRONG_KEY", Set: true, Problem: "environment variable WRONG_KEY: the key is in quotes: set WRONG_KEY to the key alone, then restart providerd"},
		{ID: "lost", Source: "file /nonexistent/key", Problem: `key file "/nonexistent/key": no such file or directory`},
	}
	if !slices.Equal(s.Keys, want) {
		t.Errorf("keys %+v, want %+v", s.Keys, want)
	}
	file, err := os.Stat(filepath.Join(r.dir, "c.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c := s.Config
	if c.LoadedAt.IsZero() || c.ModifiedAt.UnixMilli() != file.ModTime().UnixMilli() || c.Faults != 1 || c.Warnings != 1 || len(c.Problems) != 2 ||
		c.Problems[0].ID != "lost" || c.Problems[0].Line == 0 || !strings.Contains(c.Problems[0].Excerpt, "^") {
		t.Errorf("configuration %+v", c)
	}

	r.rewrite("this is no TOML")
	r.call("POST", "/api/daemon/reload", nil)
	if c := setup().Config; !c.ReloadRefused || c.LoadedAt != s.Config.LoadedAt || c.ModifiedAt != s.Config.ModifiedAt {
		t.Errorf("after a reload that was refused: %+v", c)
	}
	r.rewrite(good)
	r.call("POST", "/api/daemon/reload", nil)
	if c := setup().Config; c.ReloadRefused || len(c.RestartNeeded) != 0 || !c.LoadedAt.After(s.Config.LoadedAt.Time) {
		t.Errorf("after a reload: %+v", c)
	}

	if len(s.Detected) != 0 {
		t.Errorf("without autodetect, no file names %v", s.Detected)
	}
	r.rewrite("autodetect = true\n[[provider]]\nid = \"mine\"\nkind = \"ollama\"\nbase_url = \"http://127.0.0.1:9\"\n")
	r.call("POST", "/api/daemon/reload", nil)
	if found := setup().Detected; !slices.Contains(found, "lmstudio") || slices.Contains(found, "mine") || slices.Contains(found, "ollama") {
		t.Errorf("with autodetect, no file names %v", found)
	}
}
