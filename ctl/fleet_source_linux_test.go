package ctl_test

import (
	"strings"
	"testing"
)

const (
	toldOK   = `{"id":"openai","kind":"openai","type":"cloud","state":"RUNNING","reason":"ok","age_ms":4000,"source":"fleet","by":"gpu3"}`
	toldSlow = `{"id":"groq","kind":"openai","type":"cloud","state":"DEGRADED","reason":"slow","detail":"according to gpu4, 9 s","age_ms":4000,"source":"fleet","by":"gpu4"}`
	toldWait = `{"id":"mistral","kind":"openai","type":"cloud","state":"DEGRADED","reason":"rate_limited","detail":"according to gpu5","age_ms":4000,"source":"probe","by":"gpu5"}`
)

// A person sees which machine a row comes from, once.
func TestStatus_NamesTheMemberThatProbed(t *testing.T) {
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/status":                     {rows(ollamaUp, toldOK, toldSlow, toldWait)},
		"GET /api/providers/status?provider_id=openai":  {rows(toldOK)},
		"GET /api/providers/status?provider_id=mistral": {rows(toldWait)},
		"GET /api/providers/status?provider_id=ollama":  {rows(ollamaUp)},
		"GET /api/fleet": {ok(inFleet("ok", gpu2(remote("vllm", "RUNNING", "ok", reachable))))},
	})
	wide := d.run(t, "status", "-o", "wide").out
	for _, member := range []string{"gpu3", "gpu4", "gpu5"} {
		if n := strings.Count(wide, "according to "+member); n != 1 {
			t.Errorf("%s is named %d times:\n%s", member, n, wide)
		}
	}
	if n := strings.Count(wide, "according to"); n != 3 {
		t.Errorf("%d rows are attributed, want 3:\n%s", n, wide)
	}
	for id, want := range map[string]string{"openai": "Source: according to gpu3", "mistral": "Source: according to gpu5"} {
		if card := onTerminal(t, d, 80, 60, map[string]string{"NO_COLOR": "1"}, "status", id).String(); !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	if card := onTerminal(t, d, 80, 60, map[string]string{"NO_COLOR": "1"}, "status", "ollama").String(); strings.Contains(card, "Source") {
		t.Errorf("a row of this machine has a source:\n%s", card)
	}
	d.run(t, "status", "--fleet", "gpu2/vllm", "-o", "json").want(t, 0, `"by":"gpu2"`, "")
	if wide := d.run(t, "status", "--fleet", "-o", "wide", "gpu2/vllm").out; strings.Contains(wide, "according to gpu2") {
		t.Errorf("the ID names the machine already:\n%s", wide)
	}
}
