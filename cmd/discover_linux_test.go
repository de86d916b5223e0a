package cmd_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// Without a configuration, discover finds what runs at the default ports and tells apart
// kinds that share one, and the daemon then watches what was pasted. The ports are those of
// the test's own network namespace.
func TestDiscover_WhatItPrintsCanBePasted(t *testing.T) {
	here, _ := newNamespaces(t)
	serveIn(t, here, "127.0.0.1:11434", http.HandlerFunc(answerAsOllama))
	serveIn(t, here, "127.0.0.1:8000", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
		case "/v1/models":
			fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model","owned_by":"vllm","max_model_len":4096}]}`)
		case "/version":
			fmt.Fprint(w, `{"version":"0.11.2"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	serveIn(t, here, "127.0.0.1:8080", http.NotFoundHandler())
	p := newProcess(t, patiently+`
[[provider]]
id = "ollama"
kind = "ollama"
`)
	cmd := p.command()
	var err error
	inNamespace(t, here, func() { err = cmd.Start() })
	p.started(cmd, err)

	for _, line := range []string{
		"ollama  http://127.0.0.1:11434  0.12.3   ollama         -\n",
		"vllm    http://127.0.0.1:8000   -        -              -\n",
		"-       http://127.0.0.1:8080   -        -              it answers, but is not of a known kind\n",
	} {
		if out := p.ctl("discover"); !strings.Contains(out, line) {
			t.Errorf("no line %q in:\n%s", line, out)
		}
	}
	paste := p.ctl("discover", "-o", "toml")
	if want := "[[provider]]\nid = \"vllm\"\nkind = \"vllm\"\nbase_url = \"http://127.0.0.1:8000\"\n"; paste != want {
		t.Errorf("to paste:\n%s\nwant:\n%s", paste, want)
	}
	before, err := os.ReadFile(p.config)
	if err != nil {
		t.Fatal(err)
	}
	p.write(string(before) + paste)
	p.ctl("reload")
	p.untilReason("vllm", provider.OK)
	again := exec.Command(program("providerctl"), "--socket", p.socket, "discover", "-o", "toml")
	if out, err := again.CombinedOutput(); err != nil || string(out) != "providerctl: nothing to add: every server of a known kind is already configured\n" {
		t.Errorf("with all of them configured: %v\n%s", err, out)
	}
}

// ctl is what providerctl prints; if it fails, so does the test.
func (p *process) ctl(args ...string) string {
	p.t.Helper()
	cmd := exec.Command(program("providerctl"), append([]string{"--socket", p.socket}, args...)...)
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("providerctl %s: %v\n%s", strings.Join(args, " "), err, talk.String())
	}
	return string(out)
}
