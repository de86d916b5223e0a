//go:build unix

package cmd_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// contribLine runs providerd-line for a program, and returns the line. Whatever the line
// says, it exits with 0 and prints nothing else.
func (k *recipeDaemon) contribLine(args ...string) string {
	k.t.Helper()
	out, talk, code := k.run(append([]string{contrib("providerd-line")}, args...)...)
	line, rest, ended := strings.Cut(out, "\n")
	if code != 0 || talk != "" || !ended || rest != "" {
		k.t.Errorf("providerd-line %v: %d %q %q", args, code, out, talk)
	}
	return line
}

// newContribDaemon is a daemon whose scripts are given a minute, since the test's machine
// is busy.
func newContribDaemon(t *testing.T) *recipeDaemon {
	k := newRecipeDaemon(t)
	k.tool("providerctl", patient())
	return k
}

// patient is a providerctl that gives status a minute.
func patient() string {
	return `case "$1 $2 $3 $4" in "status -o json --timeout") shift 5 && set -- status -o json --timeout 60s "$@" ;; esac
exec ` + program("providerctl") + ` "$@"`
}

// contrib is the path of a file of contrib.
func contrib(name string) string {
	path, err := filepath.Abs(filepath.Join("..", "contrib", name))
	if err != nil {
		panic(err)
	}
	return path
}

// A waybarLine is what waybar reads.
type waybarLine struct{ Text, Alt, Class, Tooltip string }

func (k *recipeDaemon) waybar(args ...string) (w waybarLine) {
	k.t.Helper()
	d := json.NewDecoder(strings.NewReader(k.contribLine(append([]string{"waybar"}, args...)...)))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		k.t.Error(err)
	}
	return w
}

// The line names what can be used and what cannot, in the form of each program.
func TestContrib_Line(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	is := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	is(k.contribLine("tmux"), "ollama +1")
	is(k.contribLine("starship"), "ollama +1")
	is(k.contribLine("claude-code"), "ollama +1")
	is(k.contribLine("tmux", "open*"), "openai")
	is(k.contribLine("tmux", "no-such"), "no such provider")
	is(k.waybar().Class, "ok")

	k.ctl("report", "openai", "--status", "429", "--retry-after", "5400")
	is(k.contribLine("tmux"), "ollama, openai limited 2h")
	is(k.waybar().Text, "ollama, openai limited 2h")
	is(k.waybar().Class, "trouble")
	k.local.Close()
	k.ctl("wait", "ollama", "--for", "STOPPED", "--timeout", "60s")
	is(k.contribLine("tmux"), "#[reverse]no provider: ollama stopped +1#[noreverse]")
	is(k.contribLine("starship"), "no provider: ollama stopped +1")
	is(k.waybar("ollama").Class, "down")
	if tip := k.waybar().Tooltip; !regexp.MustCompile(`^ollama: stopped; start it: .+\nopenai: limited 2h; .+$`).MatchString(tip) {
		t.Errorf("tooltip %q", tip)
	}
	k.ctl("pause", "ollama")
	is(k.contribLine("starship"), "no provider: openai limited 2h")
	if _, talk, code := k.run(contrib("providerd-line"), "screen"); code != 2 || !strings.Contains(talk, "try: providerd-line tmux|") {
		t.Errorf("another program: %d %q", code, talk)
	}
}

// The first name of the line is the provider that pick takes.
func TestContrib_LineNamesWhatPickTakes(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	row := func(id, typ string, more ...any) map[string]any {
		r := map[string]any{"id": id, "kind": "ollama", "type": typ, "state": "RUNNING", "reason": "ok", "endpoint": "http://127.0.0.1:1"}
		for i := 0; i < len(more); i += 2 {
			r[more[i].(string)] = more[i+1]
		}
		return r
	}
	later, before := "2026-11-22T15:00:00.000Z", "2026-11-22T14:00:00.000Z"
	used := func(resets string) []map[string]any {
		return []map[string]any{{"name": "requests", "remaining": 0, "resets_at": resets, "source": "probe", "at": before}}
	}
	for _, rows := range [][]map[string]any{
		{row("cloud", "cloud"), row("local", "local")},
		{row("cloud", "cloud"), row("doubtful", "local", "doubt", map[string]any{"saw": "hung", "count": 1, "of": 2})},
		{row("slow", "local", "state", "DEGRADED", "reason", "slow"), row("cloud", "cloud")},
		{row("slow", "local", "state", "DEGRADED", "reason", "slow"), row("hung", "local", "state", "DEGRADED", "reason", "hung")},
		{row("withheld", "local", "key_withheld", true), row("cloud", "cloud")},
		{row("used-up", "local", "limits", used(later)), row("slow", "cloud", "state", "DEGRADED", "reason", "slow")},
		{row("reset", "local", "limits", used(before)), row("second", "local")},
		{row("later", "local", "retry_at", later), row("paused", "local", "paused", true), row("old", "local", "stale", true), row("earlier", "cloud", "retry_at", before)},
		{row("site", "generic"), row("first", "local"), row("second", "local")},
	} {
		k.fakeDaemon(rows...)
		want, _, _ := k.run(program("providerctl"), "pick")
		if got := k.contribLine("tmux"); strings.FieldsFunc(got, func(r rune) bool { return r == ' ' || r == ',' })[0] != strings.TrimSpace(want) {
			t.Errorf("%q, but pick takes %q", got, want)
		}
	}
}

// Whatever the daemon does, a line is printed, and it says what is wrong.
func TestContrib_LineWithoutDaemon(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newRecipeDaemon(t)
	says := func(want string) {
		t.Helper()
		for _, name := range []string{"tmux", "starship", "claude-code"} {
			if got := k.contribLine(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if w := k.waybar(); w.Text != want || w.Class != "off" || w.Alt != "off" || w.Tooltip == "" {
			t.Errorf("waybar: %+v, want %q", w, want)
		}
	}
	if err := k.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	says("providerd hangs")
	if err := k.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	env := k.env
	k.env = append(env, "PROVIDERD_SOCKET="+filepath.Join(k.dir, "none"))
	says("providerd off")
	k.env = env
	k.tool("providerctl", `echo '{"providers":'`)
	says("providerd fails")
	k.tool("providerctl", `exit 4`)
	says("providerd denied")
	k.tool("providerctl", `exec no-such-program`)
	says("no providerctl")
	k.tool("providerctl", `echo panic; exit 2`)
	says("providerd fails")
	k.tool("cat", `exec `+which(t, "cat"))
	k.env = append(env, "PATH="+k.dir)
	k.env[0] = "_="
	k.run(which(t, "ln"), "-s", which(t, "sh"), filepath.Join(k.dir, "sh"))
	says("no jq")
}

func which(t *testing.T, name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(err)
	}
	return path
}

// hostile is text that means something to a shell, tmux, Pango, JSON or a terminal.
const hostile = "$(touch PWNED)`touch PWNED`#(touch PWNED)#[fg=red]#{E:@x}#,}%H</span>&amp;<b>\x1b]0;title\a\x1b[31m\u202e\u009b\"'\\\r\n;|&${IFS}\U000e0041日本"

// fakeDaemon answers like a daemon with these rows at the socket of k.
func (k *recipeDaemon) fakeDaemon(rows ...map[string]any) {
	socket := filepath.Join(k.dir, "fake")
	os.Remove(socket)
	l, err := net.Listen("unix", socket)
	if err != nil {
		k.t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"ts": "2026-11-22T14:20:00.123Z", "cache_ttl_ms": 1000, "seq": 1, "providers": rows})
	if err != nil {
		k.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(append(body, '\n')) })}
	go func() { _ = server.Serve(l) }()
	k.t.Cleanup(func() { server.Close() })
	k.env = append(k.env, "PROVIDERD_SOCKET="+socket)
}

// A row that means harm does none: every line consists of harmless characters, and texts for
// people are escaped.
func TestContrib_HostileNames(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	row := map[string]any{"id": hostile, "kind": "ollama", "type": "local", "state": "ERROR", "reason": hostile, "hint": hostile, "detail": hostile,
		"endpoint": "http://127.0.0.1:1", "client": map[string]string{"env": hostile}, "retry_at": hostile}
	good := map[string]any{"id": strings.Repeat(hostile, 9), "kind": "ollama", "type": "local", "state": "RUNNING", "reason": "ok", "endpoint": "http://127.0.0.1:2"}
	for _, rows := range [][]map[string]any{{row}, {good, row}, {good}, {}} {
		k.fakeDaemon(rows...)
		for _, name := range []string{"tmux", "starship", "claude-code"} {
			line := k.contribLine(name)
			line = strings.TrimSuffix(strings.TrimPrefix(line, "#[reverse]"), "#[noreverse]")
			if !regexp.MustCompile(`^[A-Za-z0-9 ._:/+(),~?-]{1,100}$`).MatchString(line) {
				t.Errorf("%s: %q", name, line)
			}
		}
		w := k.waybar()
		if !regexp.MustCompile(`^[A-Za-z0-9 ._:/+(),~?-]{1,100}$`).MatchString(w.Text) {
			t.Errorf("waybar: %q", w.Text)
		}
		checkMarkup(t, w.Tooltip)
	}
	k.fakeDaemon(row, good)
	k.env = append(k.env, "ANTHROPIC_BASE_URL=http://127.0.0.1:1", "PROVIDERD_PROVIDER="+hostile)
	line := k.sends(contrib("providerd-line")+" claude-code", map[string]any{"model": map[string]string{"display_name": hostile}})
	line = strings.NewReplacer("\x1b[31m", "", "\x1b[39m", "").Replace(line)
	if !regexp.MustCompile(`^[A-Za-z0-9 ._:/+(),~?;-]{1,160}\n$`).MatchString(line) {
		t.Errorf("claude-code: %q", line)
	}
	if _, err := os.Stat(filepath.Join(k.dir, "PWNED")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a command in a name was run: %v", err)
	}
}

// checkMarkup fails unless a text is markup without elements, as Pango reads it, and
// contains nothing that does not show.
func checkMarkup(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader("<markup>" + text + "</markup>"))
	elements := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		if _, is := token.(xml.StartElement); is {
			elements++
		}
	}
	if elements != 1 || strings.ContainsAny(text, "\x1b\a\r\u202e\u009b\U000e0041") {
		t.Errorf("%q", text)
	}
}

// sends runs a command with a JSON object on standard input, in the folder of k. It must
// exit with 0 and say nothing on standard error.
func (k *recipeDaemon) sends(command string, object any) string {
	k.t.Helper()
	body, err := json.Marshal(object)
	if err != nil {
		k.t.Fatal(err)
	}
	out, talk, code := k.run("sh", "-c", fmt.Sprintf("exec %s <%s", command, k.file("stdin.json", string(body))))
	if code != 0 || talk != "" {
		k.t.Errorf("%s: %d %q", command, code, talk)
	}
	return out
}
