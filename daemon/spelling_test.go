package daemon

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/providerd/providerd/ctl"
)

// spellings are ways in which a server, a gateway or a hostile peer may write a key. Each
// writes a part of the key like the whole.
var spellings = map[string]func(string) string{
	"raw":              func(s string) string { return s },
	"upper case":       strings.ToUpper,
	"json":             each(func(c byte) string { return sign(c, `\u%04x`) }),
	"json, upper case": each(func(c byte) string { return sign(c, `\u%04X`) }),
	"json, all":        each(func(c byte) string { return fmt.Sprintf(`\u%04x`, c) }),
	"json in json":     each(func(c byte) string { return sign(c, `\\u%04x`) }),
	"slashes":          func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
	"c":                each(func(c byte) string { return fmt.Sprintf(`\x%02x`, c) }),
	"c, braces":        each(func(c byte) string { return fmt.Sprintf(`\x{%02x}`, c) }),
	"octal":            each(func(c byte) string { return fmt.Sprintf(`\%03o`, c) }),
	"percent":          each(func(c byte) string { return sign(c, "%%%02X") }),
	"percent, low":     each(func(c byte) string { return sign(c, "%%%02x") }),
	"percent, twice":   each(func(c byte) string { return sign(c, "%%25%02X") }),
	"html":             each(func(c byte) string { return sign(c, "&#%d;") }),
	"html, hex":        each(func(c byte) string { return sign(c, "&#x%x;") }),
	"html, unended":    each(func(c byte) string { return fmt.Sprintf("&#%d", c) }),
	"html in json":     each(func(c byte) string { return sign(c, `\u0026#%d;`) }),
	"names":            strings.NewReplacer("+", "&plus;", "/", "&sol;", "=", "&equals;", "&", "&amp;", "-", "-").Replace,
	"quoted-printable": each(func(c byte) string { return sign(c, "=%02X") }),
	"hex":              each(func(c byte) string { return fmt.Sprintf("%02x", c) }),
	"base64":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 for URLs":  func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64 of UTF-16": func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(each(func(c byte) string { return string([]byte{c, 0}) })(s)))
	},
	"with gaps":         each(func(c byte) string { return string(rune(c)) + " " }),
	"with soft hyphens": each(func(c byte) string { return string(rune(c)) + "\u00ad" }),
}

func each(f func(byte) string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			b.WriteString(f(s[i]))
		}
		return b.String()
	}
}

// sign writes characters that are not letters or digits this way.
func sign(c byte, format string) string {
	if c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
		return string(rune(c))
	}
	return fmt.Sprintf(format, c)
}

// Promise 7 holds for any spelling of the key that a provider sends back. The socket, the log at
// its most verbose, the database, the metrics and providerctl never show 9 characters of it.
func TestPromise7_EverySpellingOfAKey(t *testing.T) {
	const key = "dGhpc2lz+YXNlY3Jl/dGtl-eXRo_YXRpc25vbmU=="
	names := slices.Sorted(maps.Keys(spellings))
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscanf(r.URL.Path, "/%d/", &n)
		sent := spellings[names[n]](strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", sent)
		w.Header().Set("Www-Authenticate", `Bearer error="`+sent+`"`)
		if r.URL.Query().Get("again") == "" && n%2 == 0 {
			w.Header().Set("Location", r.URL.Path+"?again=1&"+sent)
			w.WriteHeader(http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		message := `{"error":{"message":"Invalid key ` + sent + ` was sent"}}`
		half := strings.Index(message, sent) + len(sent)/2
		_, _ = io.WriteString(w, message[:half])
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, message[half:])
	}))
	defer echo.Close()
	var text strings.Builder
	for n := range names {
		fmt.Fprintf(&text, "[[provider]]\nid = \"p%d\"\nkind = \"openai\"\nbase_url = \"%s/%d\"\napi_key_env = \"SOME_KEY\"\n", n, echo.URL, n)
	}
	r := startDaemon(t, text.String(), map[string]string{"SOME_KEY": key}, func(o *Options, _ string) { o.LogLevel = "trace" })
	r.awaitSweep()

	seen := map[string]string{}
	for _, path := range []string{"/api/providers/status", "/api/events", "/api/daemon", "/api/daemon/config", "/api/daemon/log", "/metrics"} {
		_, seen[path] = r.call("GET", path, nil)
	}
	diagnoses := make([]string, len(names))
	var wg sync.WaitGroup
	for n := range names { // all at once: none is probed twice in a second
		wg.Go(func() { _, diagnoses[n] = r.call("POST", fmt.Sprintf("/api/providers/p%d/diagnose", n), nil) })
	}
	wg.Wait()
	for n, name := range names {
		id := fmt.Sprintf("p%d", n)
		_, row := r.call("GET", "/api/providers/"+id, nil)
		if !strings.Contains(row, "unauthorized") || !strings.Contains(diagnoses[n], `"status":401`) {
			t.Errorf("%s: %s\n%s", name, row, diagnoses[n])
		}
		if rest := strings.Split(row, "Invalid key ***"); len(rest) < 2 || !strings.Contains(rest[1], "was sent") {
			t.Errorf("%s: the rest of what is said is not there: %s", name, row)
		}
		seen["row of "+name], seen["diagnosis of "+name] = row, diagnoses[n]
		_, seen["history of "+name] = r.call("GET", "/api/providers/"+id+"/history", nil)
	}
	for n := range names {
		wg.Go(func() { seenMarkdown(t, r, fmt.Sprintf("p%d", n), &diagnoses[n]) })
	}
	wg.Wait()
	for n, name := range names {
		seen["markdown of "+name] = diagnoses[n]
	}
	r.stop()
	seen["log"] = r.log.String()
	for _, file := range must(filepath.Glob(filepath.Join(r.dir, "state", "*"))) {
		seen["file "+filepath.Base(file)] = string(must(os.ReadFile(file)))
	}
	if len(seen["log"]) < 1000 || !strings.Contains(seen["file providerd.db"], "unauthorized") {
		t.Errorf("not all was seen: %v", slices.Collect(maps.Keys(seen)))
	}
	for name, spell := range spellings {
		const run = 9 // whole groups of base64
		for i := 0; i+run <= len(key); i += 3 {
			part := spell(key[i : i+run])
			for where, all := range seen {
				for _, text := range []string{part, strings.Trim(string(must(json.Marshal(part))), `"`)} {
					if at := strings.Index(all, text); at >= 0 {
						t.Errorf("%q of the key, %s, is in the %s: …%s…", key[i:i+run], name, where, all[max(0, at-150):min(len(all), at+150)])
					}
				}
			}
		}
	}
}

// seenMarkdown is what providerctl writes of a diagnosis for an issue.
func seenMarkdown(t *testing.T, r *running, id string, markdown *string) {
	var out, talk bytes.Buffer
	code := ctl.Main(t.Context(), ctl.Env{
		Args:   []string{"--socket", filepath.Join(r.dir, "s"), "diagnose", id, "-o", "markdown"},
		Stdout: &out, Stderr: &talk, Getenv: func(string) string { return "" },
	})
	if *markdown = out.String(); !strings.Contains(*markdown, "was answered") {
		t.Errorf("exit %d: %s%s", code, &out, &talk)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
