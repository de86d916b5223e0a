package top_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v3/vt"

	"github.com/providerd/providerd/ctl/top"
	"github.com/providerd/providerd/store/provider"
)

// Rows are grouped by need, and a change moves a row at once, with a mark.
func TestRun_IsLive(t *testing.T) {
	d := startDaemon(t, isUp("ollama"), isDown("gpu1"), isRefused("anthropic"))
	s := show(t, d, 100, 30)
	defer func() {
		if !colors.MatchString(s.term.bytes()) {
			t.Error("no colours")
		}
	}()
	s.await(`3 providers: 1 usable, 1 needs you, 1 stopped`,
		`(?s)needs you \(1\)\n> anthropic  ERROR .*usable \(1\)\n  ollama .*stopped \(1\)\n  gpu1 `,
		`^hint: replace the key$`)
	d.change("ollama", func(s *provider.Status) { *s = isDown("ollama") })
	s.await(`(?s)stopped \(2\)\n\* ollama     STOPPED .*\n  gpu1 `, `!usable`)
	d.mu.Lock()
	d.rows = append(d.rows, isUp("added")) // as a reload adds one, without an event
	d.mu.Unlock()
	s.await(`usable \(1\)\n\* added `)
}

// A screen without colours, or of ASCII alone, says the same.
func TestRun_WithoutColoursAndInASCII(t *testing.T) {
	d := startDaemon(t, isUp("ollama"), isRefused("anthropic"), isUp("überlang"))
	plain := func(o *top.Options) { o.Color, o.ASCII = false, true }
	s := show(t, d, 100, 30, plain)
	text := s.await(`needs you \(1\)`, `\?berlang`)
	s.press("?")
	text += s.await(`Ctrl-Z`)
	s.press("q", "q")
	if err := s.ended(); err != nil {
		t.Error(err)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
		t.Errorf("not ASCII: %q", text[i:min(len(text), i+20)])
	}
	if codes := colors.FindAllString(s.term.bytes(), -1); codes != nil {
		t.Errorf("colours: %q", codes)
	}
}

var colors = regexp.MustCompile(`\x1b\[(\d+;)*([34][0-8]|9[0-7]|10[0-7])[\d;]*m`)

// Nothing is asked of the terminal: an answer could be taken for keys. However it ends, the
// terminal is left as it was.
func TestRun_LeavesTheTerminalAsItWas(t *testing.T) {
	for name, end := range map[string]func(*screen){
		"q":       func(s *screen) { s.press("q") },
		"Ctrl-C":  func(s *screen) { s.press(ctrlC) },
		"Context": func(s *screen) { s.end() },
	} {
		t.Run(name, func(t *testing.T) {
			s := show(t, startDaemon(t, isUp("ollama")), 80, 24)
			s.await(`ollama`)
			end(s)
			if err := s.ended(); err != nil {
				t.Error(err)
			}
			written := s.term.bytes()
			for _, query := range []string{"\x1b[c", "\x1b[>c", "\x1b[>q", "\x1b[6n", "$p", "\x1b[18t", "\x1b]10;?", "\x1b]11;?", "\x1b[?u"} {
				if strings.Contains(written, query) {
					t.Errorf("it asks the terminal %q", query)
				}
			}
			for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?7l": "\x1b[?7h"} {
				if strings.LastIndex(written, off) < strings.LastIndex(written, on) || !strings.Contains(written, on) {
					t.Errorf("%q stays", on)
				}
			}
		})
	}
}

// Without a daemon it fails as every command does, and the screen is given back.
func TestRun_WithoutADaemon(t *testing.T) {
	d := startDaemon(t)
	d.stop()
	s := show(t, d, 80, 24)
	var e *provider.Error
	if err := s.ended(); !errors.As(err, &e) || e.Code != provider.DaemonUnreachable || e.Hint == "" {
		t.Errorf("%v", err)
	}
	if !strings.Contains(s.term.bytes(), "\x1b[?1049l") {
		t.Error("the screen is not given back")
	}
}

// While the daemon is away, a banner says why, and the rows are labelled; it resumes by
// itself, and keeps what was selected and typed.
func TestRun_OutlivesTheDaemon(t *testing.T) {
	d := startDaemon(t, isUp("ollama"), isUp("gpu1"), isDown("gpu2"))
	s := show(t, d, 100, 24)
	s.await(`> ollama`)
	s.press("/", "gpu", enter, "j")
	s.await(`> gpu2`, `^/gpu  2 of 3`)
	d.stop()
	s.await(`^the daemon has been away since \d\d:\d\d:\d\d: `, `stopped \(1\), stale`, `usable \(1\), stale`)
	s.press("r")
	s.await(`refresh: `)
	d.rows[2] = isUp("gpu2")
	d.start()
	s.await(`!away`, `!stale`, `usable \(2\)`, `[*] gpu2`, `^the daemon is back`)
}

// Every action says what happened.
func TestRun_Actions(t *testing.T) {
	openai := isUp("openai")
	openai.Paused = true
	d := startDaemon(t, isUp("ollama"), isDown("gpu1"), openai)
	d.replies["POST /api/providers/ollama/pause"] = reply{403, `{"error":{"code":"denied","message":"only administrators may pause","hint":"sudo providerctl pause ollama"}}`}
	d.replies["POST /api/providers/ollama/diagnose"] = reply{200, `{"id":"ollama","kind":"ollama","took_ms":3,"requests":[{"method":"GET","url":"http://127.0.0.1/api/tags","status":200}],"verdict":{"state":"RUNNING","reason":"ok"},"generation":8}`}
	s := show(t, d, 120, 30)
	s.await(`> ollama`)

	s.press("r")
	s.await(`^ollama is RUNNING, 0\.8 ms`)
	s.press("p")
	s.await(`^pause ollama: only administrators may pause; sudo providerctl pause ollama`)

	d.mu.Lock()
	d.held["gpu1"] = struct{}{} // its server hangs
	d.mu.Unlock()
	s.press("R")
	s.await(`^refreshing: 1 of 2 done, waiting for gpu1…`)
	d.change("gpu1", func(s *provider.Status) { s.Generation = 7 })
	s.await(`^refreshed 2 in .* s: 1 can be used; gpu1 is STOPPED \(connection_refused\): start it: ollama serve; openai was not`)

	s.press("/", "gpu1", enter, "w")
	s.await(`^the bell will ring when gpu1 can be used`, `^w gpu1`)
	if s.term.Bells() != 0 {
		t.Error("the bell rang early")
	}
	d.change("gpu1", func(s *provider.Status) { *s = isUp("gpu1") })
	s.await(`^gpu1 can be used now`, `!^w`)
	if s.term.Bells() != 1 {
		t.Errorf("%d bells", s.term.Bells())
	}

	s.press(escape)
	s.await(`  ollama`)
	s.press("g", "d")
	s.await(`^● ollama`, `^diagnosed ollama in 3\.0 ms: RUNNING \(ok\)`, `GET http://127\.0\.0\.1/api/tags`)
}

// A card shows all about a provider, and says what could not be read.
func TestRun_Card(t *testing.T) {
	d := startDaemon(t, isUp("ollama"), isRefused("anthropic"))
	d.replies["GET /api/providers/anthropic/diagnostics"] = reply{200, `{"id":"anthropic","kind":"anthropic","endpoint":"https://a","resolve":{"host":"a","addresses":["192.0.2.1"],"took_ms":2},"verdict":{"state":"ERROR","reason":"unauthorized"}}`}
	d.replies["GET /api/providers/anthropic/models"] = reply{200, `{"id":"anthropic","models":[{"id":"claude"}]}`}
	d.replies["GET /api/providers/anthropic/history"] = reply{200, `{"id":"anthropic","uptime_ratio":0.5,"state_seconds":{"ERROR":5,"RUNNING":5},"transitions":[{"seq":1,"id":"anthropic","from":"RUNNING","to":"ERROR","reason":"unauthorized"}]}`}
	s := show(t, d, 100, 40)
	s.await(`> anthropic`)
	s.press(enter)
	s.await(`^● anthropic`, `State: ERROR`, `Hint: replace the key`, `(?s)Last probe.*resolve .* 192\.0\.2\.1`, `^1 model\n`, `claude`, `up 50\.0%`, `RUNNING → ERROR`)
	d.change("anthropic", func(s *provider.Status) { *s = isUp("anthropic") })
	s.await(`State: RUNNING`)
	s.press("q", "g", enter)
	s.await(`^● ollama`, `^not all could be read: no such route`)
	s.press(escape)
	s.await(`> ollama`)
}

// A daemon's history gives a trend of hours and the uptime of a day. An older daemon, which
// has none, has no such columns.
func TestRun_History(t *testing.T) {
	s := show(t, startDaemon(t, isUp("ollama")), 100, 24)
	s.await(`> ollama`, `!UP 24H`)
	d := startDaemon(t, isUp("ollama"), isUp("new"))
	d.replies["GET /api/history"] = reply{200, `{"providers":[{"id":"ollama","uptime_ratio":0.75},{"id":"new"}]}`}
	d.replies["GET /api/providers/ollama/history"] = reply{200, `{"id":"ollama","buckets":[{"time":"2026-01-02T03:00:00Z","p50_ms":1},
		{"time":"2026-01-02T05:00:00Z","p50_ms":4},{"time":"2026-01-02T06:00:00Z"}]}`}
	s = show(t, d, 100, 24)
	s.await(`TREND .* UP 24H`, `ollama .* ▁ ▄ .* 75\.0%`, `new .* -  .* -`)
}

// Of many providers it reads only the rows that it shows, and scrolls through all.
func TestRun_ManyProviders(t *testing.T) {
	var rows []provider.Status
	for i := range 1000 {
		rows = append(rows, isUp(fmt.Sprintf("gpu%03d", i)))
	}
	d := startDaemon(t, rows...)
	s := show(t, d, 80, 24)
	s.await(`> gpu000`, `1000 providers, all usable`)
	s.press(end)
	s.await(`> gpu999`, `!gpu900`)
	s.press(home, pageDn, down)
	s.await(`> gpu0(1|2)\d`)
	d.change("gpu500", func(s *provider.Status) { *s = isDown("gpu500") })
	s.await(`999 usable, 1 stopped`)
	s.press("/", "refused")
	s.await(`gpu500  STOPPED`, `1 of 1000`)
}

// The screen follows its size, down to nothing.
func TestRun_Resize(t *testing.T) {
	d := startDaemon(t, isUp("ollama"), isDown("gpu1"))
	s := show(t, d, 100, 30)
	s.await(`LATENCY`)
	for _, size := range []vt.Coord{{X: 40, Y: 10}, {X: 200, Y: 50}, {X: 10, Y: 3}, {X: 1, Y: 1}, {X: 80, Y: 24}} {
		s.term.SetSize(size)
	}
	s.await(`> ollama`, `^  gpu1`, `\? help`)
	s.term.SetSize(vt.Coord{X: 40, Y: 8})
	s.await(`> ollama  RUNNING  ok`, `!LATENCY`)
}

// What a provider sends is shown as text, whatever it is.
func TestRun_HostileTexts(t *testing.T) {
	evil := isRefused("evil")
	evil.Detail = "\x1b[2Jcleared\x07 \u202egnp " + strings.Repeat("x", 10_000)
	evil.Hint = "日本語 \x1b]0;owned\x07"
	d := startDaemon(t, evil, isUp("ollama"))
	s := show(t, d, 100, 24)
	s.await(`> evil`, `\\x1b\[2Jcleared\\a`, `hint: 日本語 \\x1b\]0;owned\\a`, `  ollama`)
	s.press(enter)
	s.await(`^● evil`, `Detail: `, `\\u202egnp`)
	if strings.Contains(s.term.bytes(), "\x1b[2J") || s.term.Bells() > 0 || s.term.GetTitle() != "" {
		t.Error("the terminal obeyed")
	}
}

// The help covers a card, which is there again behind it.
func TestRun_HelpOverACard(t *testing.T) {
	s := show(t, startDaemon(t, isUp("ollama")), 100, 30)
	s.await(`> ollama`)
	s.press(enter)
	s.await(`State: RUNNING`)
	s.press("?")
	s.await(`Ctrl-Z`, `!State:`)
	s.press("?")
	s.await(`State: RUNNING`)
	s.press("q")
	s.await(`> ollama`, `!State:`)
}

// A hint that is longer than the screen is wide has a second line, if there is room.
func TestRun_LongHint(t *testing.T) {
	row := isRefused("anthropic")
	row.Hint = "name an api_key_file in the configuration of the daemon, then: providerctl reload"
	d := startDaemon(t, row)
	show(t, d, 50, 24).await(`^hint: name an api_key_file in the configuration of$\n^the daemon, then: providerctl reload$`)
	show(t, d, 30, 24).await(`^hint: name an api_key_file in$\n^the configuration of the daem…$`)
	show(t, d, 50, 18).await(`^hint: name an api_key_file in the configuration o…$`)
}
