package cmd_test

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// The daemon collects garbage earlier than other Go programs, unless GOGC is set.
func TestProviderd_CollectsGarbageEarly(t *testing.T) {
	for _, tt := range []struct{ given, want string }{{"GOGC=", "65"}, {"GOGC=100", "100"}} {
		t.Run(tt.given, func(t *testing.T) {
			p := newProcess(t, "[[provider]]\nid = \"p\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:1\"\ninterval = \"1h\"\n")
			p.as = func(cmd *exec.Cmd) { cmd.Env = append(os.Environ(), tt.given) }
			p.start()
			res, err := p.http.Get("http://localhost/metrics")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			found := regexp.MustCompile(`(?m)^go_gc_gogc_percent (\S+)$`).FindSubmatch(text)
			if found == nil || string(found[1]) != tt.want {
				t.Errorf("go_gc_gogc_percent is %q, want %s", found, tt.want)
			}
		})
	}
}
