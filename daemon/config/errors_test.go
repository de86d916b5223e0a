package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/providerd/providerd/daemon/config"
)

var update = flag.Bool("update", false, "write the errors seen into testdata/errors")

// leak is in every place where a key can be; no error may repeat it.
const leak = "sk-leak-0123456789"

// badEnv has a key of each sort, good and bad.
func badEnv() config.Env {
	return env(map[string]string{
		"GOOD":           leak,
		"TWO_LINES":      leak + "\n" + leak,
		"OPENAI_API_KEY": leak,
		"BEARER":         "Bearer " + leak,
	}, map[string]string{
		"/keys/good":      leak + "\n",
		"/keys/empty":     " \n",
		"/keys/two-lines": leak + "\n" + leak + "\n",
		"/keys/control":   leak + "\x1b[2J",
		"/keys/utf16":     "\xff\xfes\x00k\x00",
	})
}

// TestParse_Errors reads testdata/errors. Each archive has one subject, and each mistake in it is
// followed by the complete text of its error. LEAK stands for a key.
func TestParse_Errors(t *testing.T) {
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { errorsOf(t, name) })
	}
}

func errorsOf(t *testing.T, archive string) {
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	out := &txtar.Archive{Comment: a.Comment}
	want := map[string]string{}
	for _, f := range a.Files {
		if mistake, ok := strings.CutSuffix(f.Name, ": error"); ok {
			want[mistake] = string(f.Data)
		}
	}
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ": error") {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			got := errorOf(t, unescape(string(f.Data))) + "\n"
			out.Files = append(out.Files, f, txtar.File{Name: f.Name + ": error", Data: []byte(got)})
			if diff := cmp.Diff(want[f.Name], got); diff != "" && !*update {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
	if *update {
		if err := os.WriteFile(archive, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// unescape inserts characters that an archive cannot contain.
func unescape(s string) string {
	return strings.NewReplacer("LEAK", leak, "<ESC>", "\x1b", "<FF>", "\xff", "<TAB>", "\t", "<CR>", "\r",
		"<300>", strings.Repeat("x", 300)).Replace(s)
}

func errorOf(t *testing.T, data string) string {
	t.Helper()
	c, err := config.Parse("p.toml", []byte(data), kinds(), badEnv())
	if err == nil {
		err = c.FaultError(nil)
	}
	if err == nil {
		t.Fatalf("accepted, with %d providers", len(c.Providers))
	}
	var e *config.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is a %T", err)
	}
	text := err.Error()
	if e.Hint() == "" || strings.Contains(text+e.Hint(), "leak") {
		t.Errorf("no hint, or a secret in it:\n%s\n%s", text, e.Hint())
	}
	if strings.HasSuffix(text, "\n") || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }) {
		t.Errorf("not plain text: %q", text)
	}
	return text
}

// TestParse_ErrorsOfEscapedKeys checks that a key in the wrong place is masked in its escaped form.
func TestParse_ErrorsOfEscapedKeys(t *testing.T) {
	for _, key := range []string{
		`sk-nobody-abcdefghijk`, `sk\u002Dnobody-abcdefghijk`, `s\u006b-nobody-abcdefghijk`, `sk%2Dnobody-abcdefghijk`, `\U00000073k-nobody-abcdefghijk`,
	} {
		for _, mistake := range []string{
			"[[provider]]\nid = \"a\"\nkind = \"%s\"\n",
			"[[provider]]\nid = \"%s!\"\nkind = \"ollama\"\n",
			"[[provider]]\nid = \"a\"\nkind = \"openai\"\nbase_url = \"%s\"\n",
			"[[provider]]\nid = \"a\"\nkind = \"openai\"\nmodels = \"%s\"\n",
			"[[provider]]\nid = \"a\"\nkind = \"openai\"\nfavourite = \"%s\"\n",
		} {
			data := strings.Replace(mistake, "%s", key, 1)
			if text := errorOf(t, data); strings.Contains(text, "abcdefgh") || strings.Contains(text, "nobody") {
				t.Errorf("%s\nleads to\n%s", data, text)
			}
		}
	}
}
