package ctl_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
)

// Text for people is ASCII in a C locale, wherever it is from, and not wider. Output for
// programs is the same in every locale.
func TestASCII(t *testing.T) {
	const row = `{"id":"ollama","kind":"ollama","type":"local","endpoint":"http://127.0.0.1:11434","state":"RATE_LIMITED","reason":"rate_limited",` +
		`"detail":"请在 30 秒后重试 and so on and so on…","hint":"warten – “später”","since":"2026-01-02T03:00:00.000Z","checked_at":"2026-01-02T03:04:00.000Z","models_count":1,"loaded_models":["größe"]}`
	const event = `{"seq":7,"id":"ollama","time":"2026-01-02T03:00:00.000Z","from":"RUNNING","to":"STOPPED","reason":"connection_refused","detail":"请求…"}`
	script := func() map[string][]reply {
		return map[string][]reply{
			"GET /api/providers/status":                    {rows(row, ollamaDown)},
			"GET /api/providers/status?provider_id=ollama": {rows(row)},
			"GET /api/providers/ollama":                    {ok(row)},
			"GET /api/providers/ollama/models":             {ok(`{"id":"ollama","models":[{"id":"größe","size_bytes":5}]}`)},
			"GET /api/providers/ollama/history?window=30d": {ok(`{"id":"ollama","transitions":[` + event + `]}`)},
			"GET /api/events?n=50":                         {stream(event)},
			"GET /api/events":                              {stream(event)},
			diagnoseA:                                      {ok(`{` + evidence + `}`)},
		}
	}
	c := map[string]string{"LC_ALL": "C", "LANG": "C.UTF-8"}
	for _, line := range []string{
		"--help", "status --help", "wait --help", "pick -h", "completion bash --help", "status", "status -o wide", "status ollama", "models ollama",
		"history ollama", "events", "diagnose a", "status --sort id",
	} {
		for _, columns := range []uint16{20, 40, 80, 200} {
			d := startDaemon(t, script())
			got := onTerminal(t, d, columns, 12, c, strings.Fields(line)...).String()
			if i := strings.IndexFunc(got, func(r rune) bool { return r >= 0x80 }); i >= 0 || got == "END" {
				t.Errorf("%s, %d columns: %q", line, columns, got)
			}
			if !strings.Contains(line, "-h") && columns >= 40 {
				got = strings.TrimSuffix(strings.ReplaceAll(got, "\r\n", "\n"), "END")
				checkWidth(t, unstyled(got), ctl.TableOptions{Width: int(columns)})
			}
		}
	}
	for _, line := range []string{"stätus", "help stätus", "status --förmat", "wait", "models --help x…"} {
		got := runIn(t.Context(), c, append([]string{"--socket", startDaemon(t, script()).socket}, strings.Fields(line)...)...)
		if i := strings.IndexFunc(got.out+got.err, func(r rune) bool { return r >= 0x80 }); i >= 0 || got.err+got.out == "" {
			t.Errorf("%s: %+v", line, got)
		}
	}
	for _, line := range []string{"status -o json", "status -o yaml", "events -o json", "__complete pick --model ''"} {
		in, out := runIn(t.Context(), nil, append([]string{"--socket", startDaemon(t, script()).socket}, strings.Fields(line)...)...), runIn(t.Context(), c, append([]string{"--socket", startDaemon(t, script()).socket}, strings.Fields(line)...)...)
		if in.out != out.out || in.code != 0 || out.code != 0 || !strings.ContainsAny(out.out, "请ö") {
			t.Errorf("%s: %+v, and in a C locale %+v", line, in, out)
		}
	}
}

// So is the screen of --watch, within its bounds.
func TestTerminal_WatchInASCII(t *testing.T) {
	row := `{"id":"größer-als-der-schirm","state":"STOPPED","reason":"ok","hint":"请求 请求 请求 请求 请求 请求…"}`
	d := startDaemon(t, map[string][]reply{"GET /api/providers/status": {statusOf(row, row, row, row, row, row, row, row)}, followFrom3: {following()}})
	file, shown := openTerminal(t, 30, 9)
	_, end := watchingIn(t, map[string]string{"LC_ALL": "C"}, d, file)
	shown.await(t.Context(), t, "STOPPED", 1)
	end()
	shown.await(t.Context(), t, leave, 1)
	for _, picture := range pictures(shown) {
		if i := strings.IndexFunc(picture, func(r rune) bool { return r >= 0x80 }); i >= 0 {
			t.Errorf("%q", picture)
		}
		checkWidth(t, unstyled(picture)+"\n", ctl.TableOptions{Width: 30})
	}
}

func unstyled(text string) string {
	for _, style := range ctl.Styles() {
		text = strings.ReplaceAll(text, style, "")
	}
	return text
}
