package fleettest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/net/http2/hpack"
)

func newDecoder() *hpack.Decoder { return hpack.NewDecoder(4096, nil) }

// A secret is a text that must not leave a machine, in the spellings in which it could.
type secret struct{ name, text string }

func (s secret) spellings() [][]byte {
	raw := []byte(s.text)
	all := [][]byte{raw, []byte(hex.EncodeToString(raw)), []byte(strings.ToUpper(hex.EncodeToString(raw)))}
	for drop := range 3 { // wherever it begins in a text that is encoded
		for _, form := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := form.EncodeToString(append(make([]byte, drop), raw...))
			all = append(all, []byte(text[(drop*8+5)/6:len(text)-1]))
		}
	}
	return all
}

// found are the places in which secrets are in a content.
func found(content []byte, secrets []secret) (all []string) {
	for _, s := range secrets {
		for _, spelled := range s.spellings() {
			if at := bytes.Index(content, spelled); at >= 0 {
				all = append(all, fmt.Sprintf("%s, as %q: %q", s.name, spelled, content[max(0, at-60):min(len(content), at+len(spelled)+20)]))
			}
		}
	}
	return all
}

// scan asserts that none of the secrets is in a content.
func scan(t testing.TB, where string, content []byte, secrets []secret) {
	t.Helper()
	for _, what := range found(content, secrets) {
		t.Errorf("%s has %s", where, what)
	}
}

func TestLab_FindsASecretInEverySpelling(t *testing.T) {
	text := "sk-test-0123456789abcdefghij"
	for n := range 4 {
		around := strings.Repeat("x", n) + text + strings.Repeat("y", n)
		for _, content := range []string{
			around, hex.EncodeToString([]byte(around)), base64.StdEncoding.EncodeToString([]byte(around)), base64.RawURLEncoding.EncodeToString([]byte(around)),
		} {
			if len(found([]byte(content), []secret{{"it", text}})) == 0 {
				t.Errorf("not found in %q", content)
			}
		}
	}
}

// Nothing that a member says to etcd, or hears from it, tells a key, a header, a text of an
// answer, an address of a shared provider, or one with a user name: not in TLS, nor without it.
func TestFleet_NothingSecretIsOnTheWire(t *testing.T) {
	t.Parallel()
	l := newLab(t, true)
	const member = "tapped"
	l.users(append([]string{member}, members[0])...)
	h := l.host(member)
	taps := l.tap(h, member)
	var endpoints []string
	for _, p := range taps {
		endpoints = append(endpoints, p.url)
	}
	address := strings.TrimSuffix(strings.TrimPrefix(l.vendor.url, "http://"), "/v1")
	script := filepath.Join(t.TempDir(), "check")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\necho a-text-of-a-script\n"), 0o755))
	config := l.cloud() + fmt.Sprintf(`
[[provider]]
id = "named"
kind = "openai-compatible"
base_url = "http://somebody:a-password-4711@%[1]s/v1"
[[provider]]
id = "hidden"
kind = "openai-compatible"
base_url = "http://%[1]s/a-path-like-a-secret-0815"
api_key_file = %[2]q
[[provider]]
id = "script"
kind = "exec"
command = [%[3]q, "--token", "an-argument-2342"]
`, address, filepath.Join(l.authority.dir, "api_key"), script)
	d := newDaemon(t, h, config, l.sectionAt(member, endpoints))
	l.daemons[member] = d
	var holds struct{ Shared []struct{ Prober string } }
	eventually(t, "it has the claims of what is shared", func() bool {
		return d.get("/api/fleet", &holds) == nil && len(holds.Shared) == 2 && holds.Shared[0].Prober == member && holds.Shared[1].Prober == member
	})
	other := newDaemon(t, l.host(members[0]), l.cloud(), l.section(members[0]))
	l.daemons[members[0]] = other
	other.until("the word of the other", "cloud", func(r row) bool { return r.By == member })
	for _, is := range []struct {
		status int
		reason string
	}{{401, "unauthorized"}, {0, "ok"}, {500, "server_error"}, {0, "ok"}} {
		l.change(is.status, is.reason, other, d)
	}
	if out, code := d.ctl("report", "cloud", "--status", "429", "--retry-after", "2"); code != 0 {
		t.Fatal(out)
	}
	other.until("the limit", "cloud", func(r row) bool { return r.Reason == "rate_limited" })
	other.until("its end", "cloud", func(r row) bool { return r.State == "RUNNING" })
	d.ctl("refresh", "--wait", "--timeout", "10s")

	key, err := os.ReadFile(l.key)
	must(t, err)
	fleetKey, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(key)))
	must(t, err)
	secrets := []secret{
		{"the API key", l.secret}, {"a part of the API key", l.secret[3:15]}, {"the fleet's key", string(fleetKey)}, {"the fleet's key", strings.TrimSpace(string(key))},
		{"the address", address}, {"the host", strings.TrimSuffix(address, ":8000")}, {"the path", "a-path-like-a-secret"},
		{"the user", "somebody"}, {"the password", "a-password-4711"}, {"an argument", "an-argument-2342"}, {"a program", script},
		{"a text of a program", "a-text-of-a-script"}, {"a text of an answer", "the test says so"},
		{"a header", "Authorization"}, {"a header", "Bearer "},
	}
	plain, names := 0, map[string]bool{}
	for _, p := range taps {
		p.each(&p.plain, func(content []byte) {
			plain += bytes.Count(content, []byte(prefix))
			scan(t, "a connection without TLS", content, secrets)
		})
		p.each(&p.members, func(content []byte) {
			for _, header := range headers(t, content) {
				scan(t, "a header", []byte(header), secrets)
				name, _, _ := strings.Cut(header, ": ")
				names[name] = true
			}
		})
		p.each(&p.wire, func(content []byte) {
			scan(t, "the wire", content, append(secrets, secret{"a key of etcd", prefix}, secret{"a reason", "unauthorized"}))
		})
	}
	if plain < 20 || !names[":path"] || !names["hasleader"] {
		t.Errorf("%d keys and the headers %v passed: not all was seen", plain, names)
	}
	if names["authorization"] || names["token"] {
		t.Errorf("headers %v", names)
	}
	l.admin(func(ctx context.Context, root *clientv3.Client) {
		models, err := root.Get(ctx, prefix+"models/", clientv3.WithPrefix())
		must(t, err)
		if len(models.Kvs) == 0 {
			t.Error("no list of models")
		}
		for _, kv := range models.Kvs { // they are compressed
			z, err := gzip.NewReader(bytes.NewReader(kv.Value))
			must(t, err)
			text, err := io.ReadAll(z)
			must(t, err)
			scan(t, "a list of models", text, secrets)
		}
	})
}
