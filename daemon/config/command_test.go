package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
)

func TestProvider_ArgumentSecrets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		command []string
		want    []string
	}{
		{[]string{"/check"}, nil},
		{[]string{"/check", "-w", "5", "-H", "db.example.org", "--interface", "eth0"}, nil},
		{[]string{"/check", "--password", "open sesame"}, []string{"open sesame"}},
		{[]string{"/check", "-dbPassword", "sesame"}, []string{"sesame"}},
		{[]string{"/check", "--password=open=sesame"}, []string{"open=sesame"}},
		{[]string{"/usr/bin/env", "DB_PWD=sesame", "/check"}, []string{"sesame"}},
		{[]string{"/check", "-k", "Authorization: Bearer sesame"}, []string{"sesame"}},
		{[]string{"/check", "postgres://me:open-sesame@db/x"}, []string{"open-sesame"}},
		{[]string{"/check", "-x", "sk-nobody-at-all"}, []string{"sk-nobody-at-all"}},
		{[]string{"/check", "--no-password", "--verbose"}, nil},
		{[]string{"/check", "--key", "7"}, nil}, // it would be found everywhere
		{[]string{"/etc/password=abc/check"}, nil},
	} {
		p := config.Provider{Command: tt.command}
		if diff := cmp.Diff(tt.want, p.ArgumentSecrets()); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tt.command, diff)
		}
	}
}

// TestCommand_KeepsSecrets shows a valid command and some invalid ones.
func TestCommand_KeepsSecrets(t *testing.T) {
	t.Parallel()
	const head = "[[provider]]\nid = \"a\"\nkind = \"exec\"\n"
	c := parse(t, head+`command = ["/check", "--password", "open sesame", "--token=sesame", "-v"]`, env(nil, nil))
	if text := c.Show(); strings.Contains(text, "sesame") || !strings.Contains(text, "# what looks like a secret in command is not shown\ncommand = [\"/check\", \"--password\", \"***\", \"--token=***\", \"-v\"]\n") {
		t.Error(text)
	}
	for _, line := range []string{
		`command = "/check --password sesame"`,
		`command = "/check --password=sesame"`,
		`command = ["/check", "--password", "sesame", 5]`,
		`command = ["/check", '--token', 'sesame', 5]`,
		`command = ["/check", "-H", "h", "--api-key","sesame", 5]`,
		`command = ["/check", "--password", "open sesame", 5]`,
		`commando = ["/check", "--password", "sesame"]`,
	} {
		_, err := config.Parse("p.toml", []byte(head+line), kinds(), env(nil, nil))
		if err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
