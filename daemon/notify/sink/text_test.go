package sink

import (
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

var (
	noon  = provider.Time{Time: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
	later = provider.Time{Time: noon.Add(7 * time.Minute)}
)

func opened(id string, state provider.State, reason provider.Reason, detail, hint string) *provider.Notice {
	return &provider.Notice{
		ID: "msg_1", Type: provider.NoticeOpened, Provider: id, State: state, Reason: reason, Detail: detail, Hint: hint,
		Since: noon, Host: "gpu1",
	}
}

func over(n *provider.Notice, kind provider.NoticeType) *provider.Notice {
	n.Type, n.Until = kind, later
	return n
}

func TestWords(t *testing.T) {
	many := &provider.Notice{Type: provider.NoticeDigest, Opened: strings.Fields("a b c d e"), More: 3, Worst: []provider.NoticeItem{
		{Type: provider.NoticeOpened, Provider: "a", State: provider.StateStopped, Reason: provider.ConnectionRefused, Detail: "nothing listens", Since: noon},
		{Type: provider.NoticeOpened, Provider: "b", State: provider.StateError, Reason: provider.Unauthorized, Since: noon},
	}}
	for _, tt := range []struct {
		n    *provider.Notice
		want string
	}{
		{opened("ollama", provider.StateStopped, provider.ConnectionRefused, "connection refused", "start it: ollama serve"),
			"ollama is down: connection refused (start it: ollama serve)"},
		{opened("ollama", provider.StateStopped, provider.ConnectionRefused, "", ""), "ollama is down: nothing listens there"},
		{opened("openai", provider.StateError, provider.Unauthorized, "invalid key", ""), "openai needs attention: invalid key"},
		{opened("vllm", provider.StateStarting, provider.Loading, "", ""), "vllm is still starting: the server says that it, or a model, is loading"},
		{opened("groq", provider.StateDegraded, provider.RateLimited, "429", ""), "groq is rate-limited: 429"},
		{opened("groq", provider.StateDegraded, provider.VendorIncident, "elevated errors", ""), "groq is affected by a vendor incident: elevated errors"},
		{opened("tgi", provider.StateDegraded, provider.Hung, "no answer", ""), "tgi is not usable: no answer"},
		{over(opened("ollama", provider.StateRunning, provider.OK, "", ""), provider.NoticeClosed), "ollama is usable again after 7m"},
		{over(opened("ollama", provider.StateUnknown, provider.NotChecked, "no longer watched", ""), provider.NoticeClosed),
			"ollama is no longer watched"},
		{over(opened("groq", provider.StateStopped, provider.NoCredentials, "no key", ""), provider.NoticeClosed), "groq: the trouble is over after 7m: no key"},
		{over(opened("ollama", provider.StateStopped, provider.ConnectionRefused, "refused", "start it"), provider.NoticeMerged),
			"ollama was down for 7m: refused"},
		{over(opened(provider.HostID, provider.StateUnknown, provider.Offline, "no network", ""), provider.NoticeMerged), "gpu1 was offline for 7m"},
		{many, "5 providers failed: a, b, c and 2 more\na is down: nothing listens\n" +
			"b needs attention: 401, or another 4xx (except 404) or a 5xx that says the key is missing, wrong, expired, revoked, suspended or leaked\nand 3 more"},
		{&provider.Notice{Type: provider.NoticeDigest, Opened: []string{"a"}, Closed: []string{"b", "c"}}, "a failed, 2 providers recovered"},
		{over(opened("ollama", provider.StateUnknown, provider.NotChecked, "the database was restored from a backup", ""), provider.NoticeClosed),
			"ollama is in an unknown state: the database was restored from a backup"},
		{&provider.Notice{Type: provider.NoticeDigest, Detail: "what was told before is lost"}, "no provider has trouble: what was told before is lost"},
		{&provider.Notice{Type: provider.NoticeDigest, Closed: []string{"b", "c"}, Worst: []provider.NoticeItem{
			{Type: provider.NoticeClosed, Provider: "b", State: provider.StateUnknown, Reason: provider.NotChecked, Detail: provider.NotWatched},
		}}, "2 providers are no longer watched: b is no longer watched"},
		{&provider.Notice{Type: provider.NoticeDigest, Host: "gpu1", Opened: []string{"a"}, Merged: []string{provider.HostID}, Worst: []provider.NoticeItem{
			{Type: provider.NoticeMerged, Provider: provider.HostID, State: provider.StateUnknown, Reason: provider.Offline, Since: noon, Until: later},
		}}, "gpu1 was offline for 7m, a failed: gpu1 was offline for 7m"},
		{&provider.Notice{Type: provider.NoticeTest, Host: "gpu1"}, "providerd test message: it arrived, from gpu1"},
		{&provider.Notice{Type: provider.NoticeMerged, Provider: "x", State: provider.StateStopped, Reason: provider.NotRunning, Detail: "dead", Since: noon, Until: later, Times: 3, Lost: 9},
			"x was down for 7m\ndead\nfailed and recovered 3 times\n9 events before this were lost"},
	} {
		if got := new(texts).line(tt.n); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 7 * time.Minute: "7m", 7*time.Minute + 5*time.Second: "7m 5s",
		40*time.Minute + 5*time.Second: "40m", 3 * time.Hour: "3h", 25 * time.Hour: "1d 1h", 48 * time.Hour: "2d",
	} {
		if got := span(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestTemplates(t *testing.T) {
	n := over(opened("ollama", provider.StateRunning, provider.OK, "", ""), provider.NoticeClosed)
	given, err := parseTexts(&config.Notify{
		Title: `[{{.Host}}] {{.Provider}}` + "\n\tx", Body: `{{.Type}} {{duration .}} {{time .Since}} {{title .}} {{join .Opened}}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	title, body := given.of(n)
	if want := "closed 7m " + noon.Local().Format("Jan 2 15:04") + " ollama is usable again after 7m"; title != "[gpu1] ollama x" || body != want {
		t.Errorf("%q %q, want %q", title, body, want)
	}
}

// A template that cannot be used is refused at reload, with the setting that is wrong.
func TestTemplates_Wrong(t *testing.T) {
	for _, text := range []string{"{{.Provider", "{{.Nothing}}", "{{nothing .}}", "{{index .Worst 0}}", `{{template "x"}}`, "{{call .ID}}", "{{if eq .Type \"digest\"}}{{.Foo}}{{end}}"} {
		for setting, n := range map[string]*config.Notify{
			"title": {Kind: "exec", Command: []string{"/bin/true"}, Title: text}, "body": {Kind: "exec", Command: []string{"/bin/true"}, Body: text},
		} {
			err := Check(n)
			if wrong, ok := err.(*config.SettingError); !ok || wrong.Setting != setting || wrong.Fix == "" {
				t.Errorf("%s = %q: %v", setting, text, err)
			}
		}
	}
}

// What templates write is bounded and printable, whatever is in a notice.
func TestTemplates_Bounded(t *testing.T) {
	given, err := parseTexts(&config.Notify{Title: "{{.Detail}}{{.Detail}}", Body: "{{range .Opened}}{{range $.Opened}}{{$.Detail}}{{end}}{{end}}"})
	if err != nil {
		t.Fatal(err)
	}
	n := &provider.Notice{Type: provider.NoticeDigest, Opened: make([]string, 3000), Detail: "\x1b[31mé\u202e" + strings.Repeat("x", 500)}
	if text, err := execute(given.body, n, maxBody); err != nil || len(text) > 4*maxBody {
		t.Errorf("%d bytes in memory, %v", len(text), err)
	}
	title, body := given.of(n)
	for text, most := range map[string]int{title: maxTitle, body: maxBody} {
		if len(text) > most || len(text) < most-4 || strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
}
