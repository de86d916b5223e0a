//go:build unix

package cmd_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// contribBlock is the block of contrib/README.md in a language, below a heading, with the
// paths of this folder.
func contribBlock(t *testing.T, heading, language string) string {
	t.Helper()
	page, err := os.ReadFile(contrib("README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, block, fenced := strings.Cut(section, "  ```"+language+"\n")
	block, _, ended := strings.Cut(block, "  ```\n")
	if !found || !fenced || !ended {
		t.Fatalf("no block of %s below %q", language, heading)
	}
	return strings.ReplaceAll(block, "/usr/share/providerd/contrib", filepath.Dir(contrib("README.md")))
}

// In tmux the line is as on the page, in a narrow window too, and text in it is only text.
func TestContrib_Tmux(t *testing.T) {
	needs(t, "jq", "tmux")
	t.Parallel()
	k := newRecipeDaemon(t)
	tmux := func(server string, args ...string) []string {
		return append([]string{"tmux", "-S", filepath.Join(k.dir, server), "-f", filepath.Join(k.dir, "tmux.conf")}, args...)
	}
	k.file("tmux.conf", strings.Replace(contribBlock(t, "tmux", "tmux"), "interval 5", "interval 1", 1))
	for _, args := range [][]string{
		tmux("inner", "new-session", "-d", "sleep 600"),
		tmux("screen", "new-session", "-d", "-x", "40", "-y", "5", "env -u TMUX "+strings.Join(tmux("inner", "attach"), " ")),
	} {
		if _, talk, code := k.run(args...); code != 0 {
			t.Skip("tmux does not start here: " + talk)
		}
		t.Cleanup(func() { _ = exec.Command(args[0], args[1], args[2], "kill-server").Run() })
	}
	shows := func(want string) {
		t.Helper()
		k.until(func() bool {
			out, err := k.command(tmux("screen", "capture-pane", "-p")...).Output()
			return err == nil && strings.Contains(string(out), want)
		})
	}
	shows(" ollama +1")
	k.ctl("report", "openai", "--status", "429", "--retry-after", "5400")
	shows(" ollama, openai limited 2h")

	env := k.env
	k.fakeDaemon(map[string]any{"id": hostile, "kind": "ollama", "type": "local", "state": "RUNNING", "reason": "ok"})
	socket := strings.TrimPrefix(k.env[len(env)], "PROVIDERD_SOCKET=")
	if _, talk, code := k.run(tmux("inner", "set-environment", "-g", "PROVIDERD_SOCKET", socket)...); code != 0 {
		t.Fatal(talk)
	}
	shows(" ?(touch PWNED)?touch PW~") // as much as is shown of a name
	if _, err := os.Stat(filepath.Join(k.dir, "PWNED")); err == nil {
		t.Error("a command in a name was run")
	}
}

// starship has a module with these settings, and shows the line. If it is not installed, its
// command is run as it would do that.
func TestContrib_Starship(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	path := k.file("starship.toml", contribBlock(t, "starship", "toml"))
	var config struct {
		Custom map[string]struct {
			Description, Command, Format, Style string
			When                                bool
			Shell                               []string
		}
	}
	d := toml.NewDecoder(strings.NewReader(contribBlock(t, "starship", "toml"))).DisallowUnknownFields()
	if err := d.Decode(&config); err != nil {
		t.Fatal(err)
	}
	module, is := config.Custom["providerd"]
	if !is || !module.When {
		t.Fatalf("%+v", config)
	}
	k.file("command", module.Command)
	if out, talk, code := k.run("sh", filepath.Join(k.dir, "command")); code != 0 || out != "ollama +1\n" || talk != "" {
		t.Errorf("%d %q %q", code, out, talk)
	}
	if _, err := exec.LookPath("starship"); err == nil {
		k.env = append(k.env, "STARSHIP_CONFIG="+path, "HOME="+k.dir, "STARSHIP_SHELL=")
		k.until(func() bool { // it leaves out what takes 500 ms
			out, err := k.command("starship", "module", "custom.providerd").CombinedOutput()
			return err == nil && strings.Contains(string(out), "ollama +1")
		})
	}
}

// waybar runs this command, and reads a line of JSON.
func TestContrib_Waybar(t *testing.T) {
	needs(t, "jq")
	t.Parallel()
	k := newContribDaemon(t)
	var config map[string]struct {
		Exec       string `json:"exec"`
		ReturnType string `json:"return-type"`
		Interval   int    `json:"interval"`
		OnClick    string `json:"on-click"`
	}
	d := json.NewDecoder(strings.NewReader("{" + contribBlock(t, "waybar", "json") + "}"))
	d.DisallowUnknownFields()
	if err := d.Decode(&config); err != nil {
		t.Fatal(err)
	}
	module := config["custom/providerd"]
	if module.ReturnType != "json" || module.Interval == 0 || !strings.HasSuffix(module.OnClick, " providerctl top") {
		t.Errorf("%+v", config)
	}
	out, talk, code := k.run("sh", "-c", module.Exec)
	var line waybarLine
	if err := json.Unmarshal([]byte(out), &line); err != nil || talk != "" || code != 0 || line.Text != "ollama +1" {
		t.Errorf("%q: %v", out, err)
	}
	for _, class := range []string{"trouble", "down", "off"} {
		if !strings.Contains(contribBlock(t, "waybar", "css"), "#custom-providerd."+class+" ") &&
			!strings.Contains(contribBlock(t, "waybar", "css"), "#custom-providerd."+class+",") {
			t.Errorf("no colour for %s", class)
		}
	}
}

// The units are what systemd understands, and wait for the provider.
func TestContrib_Units(t *testing.T) {
	t.Parallel()
	k := newRecipeDaemon(t)
	k.local.Close()
	k.ctl("wait", "ollama", "--for", "STOPPED", "--timeout", "60s")
	folder := filepath.Join(k.dir, "system")
	drop := strings.ReplaceAll(contribBlock(t, "systemd: start a service with its provider", "sh"), "/etc/systemd/system", folder)
	drop = strings.ReplaceAll(drop, "WAIT_FOR=ollama", "WAIT_FOR=openai ollama")
	unit := strings.ReplaceAll(contribBlock(t, "systemd: a unit that waits", "sh"), "/etc/systemd/system", folder)
	k.tool("systemctl", `echo "systemctl $*"`)
	for _, commands := range []string{drop, unit} {
		if out, talk, code := k.sh(commands); code != 0 || talk != "" || !strings.HasPrefix(out, "systemctl daemon-reload\n") {
			t.Fatalf("%d %q %q", code, out, talk)
		}
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	waits := map[string]string{
		"unit":    strings.NewReplacer("%i", "ollama").Replace(read("providerd-wait@.service")),
		"drop-in": strings.NewReplacer("$WAIT_FOR", "openai ollama").Replace(read("agent.service.d/wait-for-provider.conf")),
	}
	if !strings.Contains(waits["drop-in"], "\nEnvironment=\"WAIT_FOR=openai ollama\"\n") {
		t.Errorf("the drop-in has other providers: %s", waits["drop-in"])
	}
	verifyUnits(t, folder)
	for name, text := range waits {
		start := regexp.MustCompile(`(?m)^ExecStart(?:Pre)?=/usr/bin/(providerctl .*)$`).FindStringSubmatch(text)
		if len(start) == 0 {
			t.Fatalf("%s: no command: %s", name, text)
		}
		if _, talk, code := k.run("sh", "-c", strings.Replace(start[1], "5m", "1s", 1)); code != 6 {
			t.Errorf("%s: without the provider: %d %q", name, code, talk)
		}
		if _, talk, code := k.run("sh", "-c", strings.Replace(start[1], "ollama", "openai", 1)); code != 0 && name == "unit" {
			t.Errorf("%s: with the provider: %d %q", name, code, talk)
		}
	}
}

// verifyUnits fails if systemd finds a fault in what was installed into a folder.
func verifyUnits(t *testing.T, folder string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		return
	}
	for name, text := range map[string]string{"agent.service": "[Service]\nExecStart=/bin/true\n", "providerd.service": "[Service]\nExecStart=/bin/true\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"providerd-wait@.service", "agent.service.d/wait-for-provider.conf"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/usr/bin/providerctl", "/bin/true"))
		if err := os.WriteFile(filepath.Join(folder, strings.Replace(name, "@.", "@lm-studio.", 1)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no",
		filepath.Join(folder, "providerd-wait@lm-studio.service"), filepath.Join(folder, "agent.service")).CombinedOutput()
	if err != nil || strings.Contains(string(out), "wait") || strings.Contains(string(out), "agent.service") {
		t.Errorf("systemd does not understand it: %v %s", err, out)
	}
}
