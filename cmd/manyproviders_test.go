package cmd_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// A command line can name more providers than fit into a URL.
func TestProviderctl_NamesManyProviders(t *testing.T) {
	const many = 1500 // of 37 bytes each, which a body of 64 KiB just holds
	var config strings.Builder
	ids := make([]string, many)
	for i := range ids {
		ids[i] = fmt.Sprintf("a-provider-with-a-name-that-is-%06d", i)
		fmt.Fprintf(&config, "[[provider]]\nid = %q\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:1\"\ninterval = \"1h\"\n", ids[i])
	}
	p := newProcess(t, config.String())
	p.level = "warn"
	p.start()
	run := func(args ...string) (string, int) {
		cmd := exec.Command(program("providerctl"), append([]string{"--socket", p.socket}, args...)...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	out, code := run(append([]string{"refresh", "--force", "-o", "json"}, ids...)...)
	var reply provider.RefreshReply
	if err := json.Unmarshal([]byte(out), &reply); err != nil || code != 0 || len(reply.IDs) != many {
		t.Errorf("refresh: exit code %d, %d providers, %v: %.500s", code, len(reply.IDs), err, out)
	}
	for command, hint := range map[string]string{
		"refresh": "name fewer providers at a time, or leave provider_id out for all", // twice as many do not fit
		"status":  "name fewer at a time, or none for all of them",
	} {
		out, code := run(append(append([]string{command}, ids...), ids...)...)
		if code != provider.ExitUsage || !strings.Contains(out, hint) {
			t.Errorf("%s: exit code %d, want %d and %q: %.500s", command, code, provider.ExitUsage, hint, out)
		}
	}
}
