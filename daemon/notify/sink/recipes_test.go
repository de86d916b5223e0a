//go:build linux

package sink

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/providerd/providerd/store/provider"
)

// A recipe is a section of docs/notifications.md: its blocks, by language.
type recipe struct {
	blocks map[string][]string
}

// recipes reads the page.
func recipes(t *testing.T) map[string]recipe {
	t.Helper()
	page, err := os.ReadFile("../../../docs/notifications.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(page), "\n## Recipes\n")
	if !ok {
		t.Fatal("docs/notifications.md has no recipes")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	found := map[string]recipe{}
	for _, part := range strings.Split(text, "\n### ")[1:] {
		title, rest, _ := strings.Cut(part, "\n")
		r := recipe{blocks: map[string][]string{}}
		for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(rest, -1) {
			r.blocks[m[1]] = append(r.blocks[m[1]], m[2])
		}
		found[title] = r
	}
	return found
}

// notices are one of each type, with what could be read as markup.
func notices() []*provider.Notice {
	all := samples()
	all[0].Detail = `dial: "refused" <!channel> @everyone *bold* _x_ & é`
	var out []*provider.Notice
	for i := range all {
		all[i].ID = fmt.Sprintf("msg_%d", i)
		out = append(out, &all[i])
	}
	return out
}

// Each recipe of docs/notifications.md delivers, as the documentation of its receiver demands.
func TestRecipes(t *testing.T) {
	all := recipes(t)
	if len(all) != 10 {
		t.Errorf("%d recipes", len(all))
	}
	for title, cook := range map[string]func(*testing.T, recipe){
		"ntfy": cookNtfy, "Slack": cookSlack, "Discord": cookDiscord, "Telegram": cookTelegram, "Mail": cookMail,
		"Home Assistant": cookHomeAssistant, "Desktop": cookDesktop, "A script": cookScript,
		"A receiver of your own": cookReceiver, "Quiet nights": cookNights,
	} {
		r, ok := all[title]
		if !ok {
			t.Errorf("no recipe %q", title)
			continue
		}
		t.Run(title, func(t *testing.T) { cook(t, r) })
	}
}

// docs.ntfy.sh/publish: a JSON object to the server's root with a topic, 1 to 5 as priority, at
// most 4,096 bytes of message, and a bearer token.
func cookNtfy(t *testing.T, r recipe) {
	k := newKitchen(t)
	k.credential("key_ntfy", "tk_for-this-test-alone")
	bodies := k.serve(r)
	k.wantEach("POST", "ntfy.sh", "/", "application/json")
	for i, b := range bodies {
		message, _ := b["message"].(string)
		if b["topic"] != "gpu1-k3Jw9" || message == "" || len(message) > 4096 || b["priority"].(float64) < 1 || b["priority"].(float64) > 5 {
			t.Errorf("%v", b)
		}
		if k.got[i].header.Get("Authorization") != "Bearer tk_for-this-test-alone" {
			t.Error("no token")
		}
	}
	if bodies[0]["title"] != "ollama is down" || bodies[1]["title"] != "" || bodies[1]["message"] != "ollama is usable again after 7m" {
		t.Errorf("%v %v", bodies[0], bodies[1])
	}
}

// docs.slack.dev: {"text": …}, with & < > escaped, so that <!channel> rings nobody.
func cookSlack(t *testing.T, r recipe) {
	k := newKitchen(t)
	k.credential("key_slack", "https://hooks.slack.com/services/T0/B0/for-this-test-alone")
	bodies := k.serve(r)
	k.wantEach("POST", "hooks.slack.com", "/services/T0/B0/for-this-test-alone", "application/json")
	for _, b := range bodies {
		text, _ := b["text"].(string)
		if text == "" || strings.ContainsAny(text, "<>") || len(b) != 1 {
			t.Errorf("%v", b)
		}
	}
	if text := bodies[0]["text"].(string); !strings.Contains(text, "&lt;!channel&gt;") || !strings.Contains(text, "_x_ &amp; é") {
		t.Error(text)
	}
}

// discord.com/developers: {"content": …} of up to 2000 characters; allowed_mentions without
// parse mentions nobody.
func cookDiscord(t *testing.T, r recipe) {
	k := newKitchen(t)
	k.credential("key_discord", "https://discord.com/api/webhooks/123/for-this-test-alone?thread_id=9")
	bodies := k.serve(r)
	k.wantEach("POST", "discord.com", "/api/webhooks/123/for-this-test-alone", "application/json")
	for i, b := range bodies {
		content, _ := b["content"].(string)
		mentions, _ := b["allowed_mentions"].(map[string]any)
		parse, listed := mentions["parse"].([]any)
		if content == "" || len([]rune(content)) > 2000 || !listed || len(parse) != 0 || k.got[i].query != "thread_id=9&wait=true" {
			t.Errorf("%v %s", b, k.got[i].query)
		}
	}
	if !strings.Contains(bodies[0]["content"].(string), `\*bold\* \_x\_`) {
		t.Error(bodies[0])
	}
}

// core.telegram.org/bots/api#sendmessage: POST /bot<token>/sendMessage, chat_id, 1 to 4096
// characters of text; no parse_mode, so nothing is markup.
func cookTelegram(t *testing.T, r recipe) {
	k := newKitchen(t)
	k.credential("key_telegram", "42:for-this-test-alone")
	bodies := k.serve(r)
	k.wantEach("POST", "api.telegram.org", "/bot42:for-this-test-alone/sendMessage", "application/json")
	for i, b := range bodies {
		text, _ := b["text"].(string)
		if b["chat_id"] != "-1001234567890" || text == "" || len([]rune(text)) > 4096 || b["parse_mode"] != nil || k.got[i].query != "" ||
			k.got[i].header.Get("Authorization") != "" {
			t.Errorf("%v %s", b, k.got[i].query)
		}
	}
	k.answer = func(w http.ResponseWriter, r *request) {
		w.WriteHeader(401)
		fmt.Fprintf(w, `{"ok":false,"error_code":401,"description":"Unauthorized: %s"}`, r.path)
	}
	if err := deliver(t, k.sink(k.read(r)[0]), ollamaDown()); !isRefused(err) || strings.Contains(err.Error(), "this-test") {
		t.Error(err)
	}
}

// developers.home-assistant.io and www.home-assistant.io/docs/automation/trigger/#webhook-trigger:
// POST /api/webhook/<webhook_id>; JSON is trigger.json.
func cookHomeAssistant(t *testing.T, r recipe) {
	k := newKitchen(t)
	bodies := k.serve(r)
	var automation struct {
		Triggers []struct {
			Trigger string
			ID      string   `yaml:"webhook_id"`
			Methods []string `yaml:"allowed_methods"`
		}
		Actions []struct{ Data map[string]string }
	}
	if err := yaml.Unmarshal([]byte(r.blocks["yaml"][0]), &automation); err != nil {
		t.Fatal(err)
	}
	trigger := automation.Triggers[0]
	if trigger.Trigger != "webhook" || !slices.Contains(trigger.Methods, "POST") {
		t.Errorf("%+v", trigger)
	}
	k.wantEach("POST", "homeassistant.local:8123", "/api/webhook/"+trigger.ID, "application/json")
	for name, text := range automation.Actions[0].Data {
		uses := regexp.MustCompile(`trigger\.json\.(\w+)`).FindAllStringSubmatch(text, -1)
		if len(uses) == 0 {
			t.Errorf("%s says nothing", name)
		}
		for _, use := range uses {
			if bodies[0][use[1]] == nil {
				t.Errorf("%s uses %s, which is not in %v", name, use[1], bodies[0])
			}
		}
	}
}

// A mail that RFC 5322 readers understand, once for each id, tried again if the server is away.
func cookMail(t *testing.T, r recipe) {
	k := newKitchen(t)
	s, dir := k.program(r, "/usr/bin/msmtp", `cat > "${0%/*}/mail"; echo "$*" > "${0%/*}/args"`)
	for _, n := range notices() {
		if err := deliver(t, s, n); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "mail"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(string(text)))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		to, err := m.Header.AddressList("To")
		if err != nil || to[0].Address != "ops@example.com" || m.Header.Get("Message-Id") != "<"+n.ID+"@providerd.invalid>" ||
			m.Header.Get("Subject") != titleOf(n) {
			t.Errorf("%v %v", err, m.Header)
		}
		body, err := io.ReadAll(m.Body)
		if err != nil || strings.TrimSpace(string(body)) != new(texts).line(n) {
			t.Errorf("%v %q", err, body)
		}
	}
	if args, err := os.ReadFile(filepath.Join(dir, "args")); err != nil || string(args) != "-t\n" {
		t.Errorf("%v %q", err, args)
	}
	s, _ = k.program(r, "/usr/bin/msmtp", "echo cannot connect >&2; exit 75")
	if err := deliver(t, s, ollamaDown()); err == nil || isRefused(err) || !strings.Contains(err.Error(), "cannot connect") {
		t.Error(err)
	}
}

func cookScript(t *testing.T, r recipe) {
	k := newKitchen(t)
	s, dir := k.program(r, "/usr/bin/logger", `printf '%s\n' "$@" > "${0%/*}/args"`)
	for n, level := range map[*provider.Notice]string{
		ollamaDown(): "warning", over(ollamaDown(), provider.NoticeMerged): "notice",
		opened("openai", provider.StateError, provider.Unauthorized, "-p $(id) 'x'", ""): "crit",
	} {
		if err := deliver(t, s, n); err != nil {
			t.Fatal(err)
		}
		want := "-t\nproviderd-notify\n-p\nuser." + level + "\n--\n" + new(texts).line(n) + "\n"
		if args, err := os.ReadFile(filepath.Join(dir, "args")); err != nil || string(args) != want {
			t.Errorf("%v %q, want %q", err, args, want)
		}
	}
	s, _ = k.program(r, "/usr/bin/logger", "exit 1")
	if err := deliver(t, s, ollamaDown()); err == nil || isRefused(err) {
		t.Error(err)
	}
}

func cookDesktop(t *testing.T, r recipe) {
	k := newKitchen(t)
	k.bus = sessionBus(t)
	screen := &screen{}
	login(t, k.bus, screen)
	s := k.sink(k.read(r)[0])
	for _, n := range notices() {
		if err := deliver(t, s, n); err != nil {
			t.Fatal(err)
		}
	}
	if len(screen.got) != len(notices()) || screen.got[1].Replaces != screen.got[0].Number {
		t.Errorf("%+v", screen.got)
	}
}

// The receiver accepts what is signed, and nothing else.
func cookReceiver(t *testing.T, r recipe) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	code := r.blocks["python"][0]
	if n := strings.Count(code, "\n"); n > 10 {
		t.Errorf("%d lines, and the issue is that it takes few", n)
	}
	k := newKitchen(t)
	var key [32]byte
	_, _ = rand.Read(key[:])
	k.credential("key_hook", "whsec_"+base64.StdEncoding.EncodeToString(key[:]))
	n := k.read(r)[0]

	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(address)
	file := filepath.Join(t.TempDir(), "receiver.py")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, file, filepath.Join(k.credentials, "key_hook"), port)
	out := filepath.Join(t.TempDir(), "out")
	if cmd.Stdout, err = os.Create(out); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 2000 {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	o := options()
	o.Env, o.Dial = k.env, func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	s, err := New(n, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notices() {
		if err := deliver(t, s, n); err != nil {
			t.Fatal(err)
		}
	}
	forged := *s.(*webhook)
	forged.key = []byte("another")
	if err := deliver(t, &forged, ollamaDown()); !isRefused(err) || !strings.Contains(err.Error(), "401") {
		t.Error(err)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "msg_0\nmsg_1\nmsg_2\nmsg_3\nmsg_4\nrefused\n" {
		t.Errorf("%v %q", err, text)
	}
}

func cookNights(t *testing.T, r recipe) {
	k := newKitchen(t)
	all := k.read(r)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 1, day, hour, minute, 0, 0, berlin) }
	day, always := all[0], all[1]
	if got := day.Quiet.Until(at(2, 23, 0)); !got.Equal(at(3, 7, 0)) {
		t.Errorf("quiet until %s", got)
	}
	if got := day.Quiet.Until(at(2, 12, 0)); !got.IsZero() || !always.Quiet.Until(at(2, 23, 0)).IsZero() {
		t.Errorf("quiet until %s", got)
	}
	if slices.Contains(day.On, provider.TopicAttention) || !slices.Contains(always.On, provider.TopicAttention) {
		t.Errorf("%v %v", day.On, always.On)
	}
	for _, n := range all {
		if err := deliver(t, k.sink(n), ollamaDown()); err != nil {
			t.Error(err)
		}
	}
	k.wantEach("POST", "ntfy.sh", "/", "application/json")
}
