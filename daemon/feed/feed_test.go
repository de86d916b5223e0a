package feed

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

var update = flag.Bool("update", false, "write the readings into testdata")

// A fixture is a document, written by hand after what its archive names, and which
// components to look for in it.
type fixture struct {
	name string
	feed config.Feed
	body string
	want string
}

// fixtures reads an archive: each document is followed by its reading.
func fixtures(t testing.TB, format string) (list []fixture, archive *txtar.Archive) {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", format+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range archive.Files {
		if strings.HasSuffix(f.Name, ": reading") {
			continue
		}
		name, components, some := strings.Cut(strings.TrimSuffix(f.Name, "]"), " [")
		fx := fixture{name: name, body: string(f.Data), feed: config.Feed{URL: "https://status.example.com/feed", Format: format}}
		if some {
			fx.feed.Components = strings.Split(components, "; ")
		}
		if i+1 < len(archive.Files) && archive.Files[i+1].Name == name+": reading" {
			fx.want = string(archive.Files[i+1].Data)
		}
		list = append(list, fx)
	}
	return list, archive
}

// asText shows a reading, or why there is none.
func asText(r Reading, err error) string {
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "impact %s\n", r.Impact)
	if i := r.Incident; i != nil {
		fmt.Fprintf(&b, "incident %q %s", i.Name, i.Impact)
		if !i.Since.IsZero() {
			b.WriteString(" since " + i.Since.Format(time.RFC3339))
		}
		b.WriteString(" " + i.URL + "\n")
	}
	for _, c := range r.Components {
		fmt.Fprintf(&b, "says %q %q %s\n", c.Name, c.Word, c.Impact)
	}
	for _, name := range r.Missing {
		fmt.Fprintf(&b, "lacks %q\n", name)
	}
	for _, name := range r.Unassigned {
		fmt.Fprintf(&b, "other %q\n", name)
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	for _, format := range config.FeedFormats {
		t.Run(format, func(t *testing.T) {
			list, archive := fixtures(t, format)
			out := &txtar.Archive{Comment: archive.Comment}
			for _, fx := range list {
				t.Run(fx.name, func(t *testing.T) {
					got := asText(Read(&fx.feed, encoded(format, fx.body)))
					if diff := cmp.Diff(fx.want, got); diff != "" && !*update {
						t.Errorf("-want +got:\n%s", diff)
					}
					file := slices.IndexFunc(archive.Files, func(f txtar.File) bool {
						return strings.HasPrefix(f.Name+" [", fx.name+" [")
					})
					out.Files = append(out.Files, archive.Files[file], txtar.File{Name: fx.name + ": reading", Data: []byte(got)})
				})
			}
			if *update {
				if err := os.WriteFile(filepath.Join("testdata", format+".txtar"), txtar.Format(out), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Every format has a document that is broken, one that is empty, one that is cut
// off, and one with a word that nobody knows; none of them is all well.
func TestFormats_NothingThatIsNotKnownIsWell(t *testing.T) {
	for _, format := range config.FeedFormats {
		list, _ := fixtures(t, format)
		for _, sort := range []string{"broken", "empty", "truncated", "unknown word", ""} {
			found := false
			for _, fx := range list {
				if !strings.HasPrefix(fx.name, sort) || sort == "" && fx.name != list[0].name {
					continue
				}
				found = true
				body := encoded(format, fx.body)
				if sort == "" {
					body = nil
				}
				r, err := Read(&fx.feed, body)
				if err == nil && (r.Impact == provider.ImpactNone || sort != "unknown word") {
					t.Errorf("%s, %s: %s", format, fx.name, asText(r, err))
				}
			}
			if !found {
				t.Errorf("%s has no document that is %s", format, sort)
			}
		}
	}
}

// Wherever a document is cut off, it is no document.
func TestFormats_Truncated(t *testing.T) {
	for _, format := range config.FeedFormats {
		list, _ := fixtures(t, format)
		for _, fx := range list {
			whole := strings.TrimSpace(fx.body)
			body := encoded(format, whole)
			if _, err := Read(&fx.feed, body); err != nil {
				continue
			}
			for n := range len(body) {
				if r, err := Read(&fx.feed, body[:n]); err == nil {
					t.Errorf("%s, %s, cut off at byte %d: %s", format, fx.name, n, asText(r, err))
				}
			}
		}
	}
}

// A document is the same in each of its encodings.
func TestFormats_UTF16(t *testing.T) {
	list, _ := fixtures(t, config.AWS)
	for _, fx := range list {
		for name, body := range map[string][]byte{
			"plain": []byte(fx.body), "UTF-8 with a mark": []byte("\ufeff" + fx.body),
			"little endian": utf16of(fx.body, true, true), "without a mark": utf16of(fx.body, false, false),
			"little endian without a mark": utf16of(fx.body, true, false),
		} {
			if got := asText(Read(&fx.feed, body)); got != fx.want {
				t.Errorf("%s, %s: %s", fx.name, name, got)
			}
		}
	}
	odd := append(utf16of("[]", false, true), 0)
	if _, err := Read(&list[0].feed, odd); err == nil {
		t.Error("half a character was taken")
	}
}

// encoded is the document as it comes: AWS's is UTF-16.
func encoded(format, body string) []byte {
	if format == config.AWS {
		return utf16of(body, false, true)
	}
	return []byte(body)
}

func utf16of(text string, little, mark bool) (b []byte) {
	if mark {
		text = "\ufeff" + text
	}
	for _, u := range utf16.Encode([]rune(text)) {
		if little {
			b = append(b, byte(u), byte(u>>8))
		} else {
			b = append(b, byte(u>>8), byte(u))
		}
	}
	return b
}

func TestFormats_AreThoseOfTheConfiguration(t *testing.T) {
	for _, name := range config.FeedFormats {
		if formats[name] == nil {
			t.Errorf("nobody reads %s", name)
		}
	}
	if len(formats) != len(config.FeedFormats) {
		t.Errorf("%d formats are read, %d can be configured", len(formats), len(config.FeedFormats))
	}
	if _, err := Read(&config.Feed{Format: "of the future"}, []byte("{}")); err == nil {
		t.Error("an unknown format was read")
	}
}
