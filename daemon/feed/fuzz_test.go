package feed

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// FuzzRead: whatever a vendor serves, reading it ends, says something that the rest
// of the program can rely on, and lets nothing onto a terminal that moves it.
func FuzzRead(f *testing.F) {
	for i, format := range config.FeedFormats {
		list, _ := fixtures(f, format)
		for _, fx := range list {
			f.Add(i, strings.Join(fx.feed.Components, "; "), encoded(format, fx.body))
		}
	}
	f.Fuzz(func(t *testing.T, format int, components string, body []byte) {
		feed := config.Feed{URL: "https://status.example.com/feed", Format: config.FeedFormats[uint(format)%uint(len(config.FeedFormats))]}
		if components != "" {
			feed.Components = strings.Split(components, "; ")
		}
		r, err := Read(&feed, body)
		if err != nil {
			return
		}
		if _, known := ranks[r.Impact]; !known {
			t.Errorf("impact %q", r.Impact)
		}
		switch i := r.Incident; {
		case i == nil && r.Impact != provider.ImpactNone && r.Impact != provider.ImpactUnknown:
			t.Errorf("%s, and no incident", r.Impact)
		case i == nil:
		case i.Impact != r.Impact || r.Impact == provider.ImpactNone:
			t.Errorf("%s, with an incident that is %s", r.Impact, i.Impact)
		default:
			checkText(t, i.Name, maxName)
			u, err := url.Parse(i.URL)
			if err != nil || u.Host == "" || u.User != nil || len(i.URL) > maxURL || u.Scheme != "https" && u.Scheme != "http" {
				t.Errorf("url %q", i.URL)
			}
		}
		for _, c := range r.Components {
			checkText(t, c.Name, maxName)
			checkText(t, c.Word, maxName)
		}
		for _, name := range r.Unassigned {
			checkText(t, name, maxName)
		}
		if r.Impact == provider.ImpactNone && len(r.Missing) > 0 {
			t.Errorf("all well, without %q", r.Missing)
		}
	})
}

func checkText(t *testing.T, s string, limit int) {
	t.Helper()
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("text %q", s)
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                     "plain",
		"  two\r\n\t words ":        "two words",
		"\x1b[31mred\x1b[0m":        "[31mred [0m",
		"a\u202eb\u0000c\xffd":      "a b c d",
		strings.Repeat("é", 200):    strings.Repeat("é", 98) + "…",
		strings.Repeat(" ", 9000):   "",
		strings.Repeat("日本語", 1000): strings.Repeat("日本語", 21) + "日本…",
	} {
		if got := line(in, maxName); got != want {
			t.Errorf("%q became %q (%d bytes), want %q", in, got, len(got), want)
		}
	}
}
