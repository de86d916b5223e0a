package sink

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// What each service is sent of two notices: trouble, and its end, which has no body.
func TestServices(t *testing.T) {
	const text = "ollama is down: connection refused (start it: ollama serve)"
	type sent struct {
		method, path, query string
		token               string // the headers that carry it
		body                map[string]any
	}
	for name, tt := range map[string]struct {
		kind, path, token string
		down, up          sent
	}{
		"ntfy below a path": {"ntfy", "/push/topic/", "tk_for-this-test",
			sent{"POST", "/push/", "", "Bearer tk_for-this-test", map[string]any{
				"topic": "topic", "title": "ollama is down", "message": "connection refused (start it: ollama serve)", "priority": 4.0, "tags": []any{"warning"},
			}},
			sent{"POST", "/push/", "", "Bearer tk_for-this-test", map[string]any{
				"topic": "topic", "title": "", "message": "ollama is usable again after 7m", "priority": 2.0, "tags": []any{"white_check_mark"},
			}}},
		"slack": {"slack", "/services/x", "",
			sent{"POST", "/services/x", "", "", map[string]any{"text": text}},
			sent{"POST", "/services/x", "", "", map[string]any{"text": "ollama is usable again after 7m"}}},
		"mattermost": {"mattermost", "/hooks/x", "",
			sent{"POST", "/hooks/x", "", "", map[string]any{"text": text}},
			sent{"POST", "/hooks/x", "", "", map[string]any{"text": "ollama is usable again after 7m"}}},
		"telegram": {"telegram", "/?chat_id=7&message_thread_id=3", "1:for-this-test",
			sent{"POST", "/bot1:for-this-test/sendMessage", "", "", map[string]any{
				"chat_id": "7", "message_thread_id": "3", "text": text, "disable_notification": false, "link_preview_options": map[string]any{"is_disabled": true},
			}},
			sent{"POST", "/bot1:for-this-test/sendMessage", "", "", map[string]any{
				"chat_id": "7", "message_thread_id": "3", "text": "ollama is usable again after 7m", "disable_notification": true, "link_preview_options": map[string]any{"is_disabled": true},
			}}},
		"gotify": {"gotify", "/below", "for-this-test",
			sent{"POST", "/below/message", "", "for-this-test", map[string]any{"title": "ollama is down", "message": "connection refused (start it: ollama serve)", "priority": 5.0}},
			sent{"POST", "/below/message", "", "for-this-test", map[string]any{"title": "", "message": "ollama is usable again after 7m", "priority": 2.0}}},
		"gotify's whole address": {"gotify", "/message", "for-this-test",
			sent{"POST", "/message", "", "for-this-test", map[string]any{"title": "ollama is down", "message": "connection refused (start it: ollama serve)", "priority": 5.0}},
			sent{"POST", "/message", "", "for-this-test", map[string]any{"title": "", "message": "ollama is usable again after 7m", "priority": 2.0}}},
		"pushover": {"pushover", "/1/messages.json?user=uuu", "for-this-test",
			sent{"POST", "/1/messages.json", "", "", map[string]any{
				"token": "for-this-test", "user": "uuu", "title": "ollama is down", "message": "connection refused (start it: ollama serve)", "priority": 0.0,
			}},
			sent{"POST", "/1/messages.json", "", "", map[string]any{
				"token": "for-this-test", "user": "uuu", "title": "", "message": "ollama is usable again after 7m", "priority": -1.0,
			}}},
		"matrix": {"matrix", "?room=!a/b:example.org", "for-this-test",
			sent{"PUT", "/_matrix/client/v3/rooms/%21a%2Fb:example.org/send/m.room.message/msg_1", "", "Bearer for-this-test", map[string]any{"msgtype": "m.text", "body": text}},
			sent{"PUT", "/_matrix/client/v3/rooms/%21a%2Fb:example.org/send/m.room.message/msg_1", "", "Bearer for-this-test", map[string]any{"msgtype": "m.notice", "body": "ollama is usable again after 7m"}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, nil)
			n := config.Notify{Kind: tt.kind, URL: f.URL + tt.path}
			if tt.token != "" {
				n.TokenFile = file(t, tt.token)
			}
			s := make1(t, n, options())
			up := over(opened("ollama", provider.StateRunning, provider.OK, "", ""), provider.NoticeClosed)
			for _, n := range []*provider.Notice{ollamaDown(), up, ollamaDown()} { // the sink keeps nothing of the last one
				if err := deliver(t, s, n); err != nil {
					t.Fatal(err)
				}
			}
			for i, want := range []sent{tt.down, tt.up, tt.down} {
				r := f.got[i]
				got := sent{r.method, r.path, r.query, r.header.Get("Authorization") + r.header.Get("X-Gotify-Key"), nil}
				if err := json.Unmarshal(r.body, &got.body); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(sent{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// A service's limits hold for the longest message.
func TestServices_Limits(t *testing.T) {
	f := newFake(t, nil)
	n := ollamaDown()
	n.Detail = strings.Repeat("*_é", 2000)
	for kind, tt := range map[string]struct {
		path, field string
		most        int // characters
	}{
		"ntfy": {"/t", "message", 4096}, "discord": {"/api/webhooks/1/x", "content", 2000}, "slack": {"/x", "text", 40000},
		"telegram": {"?chat_id=1", "text", 4096}, "pushover": {"/1/messages.json?user=u", "message", 1024},
	} {
		c := config.Notify{Kind: kind, URL: f.URL + tt.path}
		if kind == "telegram" || kind == "pushover" {
			c.TokenFile = file(t, "for-this-test")
		}
		if err := deliver(t, make1(t, c, options()), n); err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		if err := json.Unmarshal(f.got[len(f.got)-1].body, &body); err != nil {
			t.Fatal(err)
		}
		if text, _ := body[tt.field].(string); len([]rune(text)) > tt.most || len(text) < 900 {
			t.Errorf("%s: %d characters of %s", kind, len([]rune(text)), tt.field)
		}
	}
}

// The answers of a service count as those of a webhook do.
func TestServices_Answers(t *testing.T) {
	code := 0
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	s := make1(t, config.Notify{Kind: "slack", URL: f.URL}, options())
	for code = range map[int]bool{400: true, 404: true, 500: false, 429: false} {
		if err := deliver(t, s, ollamaDown()); err == nil || isRefused(err) != (code < 429) {
			t.Errorf("%d: %v", code, err)
		}
	}
}
