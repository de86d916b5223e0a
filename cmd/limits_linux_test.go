package cmd_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// The ten agents are ten users, none of whom is an administrator. The others still avoid the
// provider after the probe that follows the report, which asks for less than an agent and
// succeeds. The provider never looks worse than it is for long: it can be used if no other can.
func TestLimits_NineUsersAvoidWhatTheTenthMet(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for name, dump := range map[string]string{
		"ASuccessThatUsedUpTheLimit": "HTTP/2 200\r\nx-ratelimit-limit-requests: 50\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 1h\r\n",
		"ARefusal":                   "HTTP/2 429\r\nretry-after: 3600\r\nx-ratelimit-remaining-requests: 0\r\n",
		"ARefusalWithATime":          "HTTP/2 429\r\nretry-after: 3600\r\n",
		"ABareRefusal":               "HTTP/2 429\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcessOf(t, alone(daemonUID), firstAndSecond(t))
			p.system = true
			become := func(agent int, cmd *exec.Cmd) {
				alone(otherUID + uint32(agent)).become(cmd)
				cmd.Dir = "/"
			}
			nineAvoid(t, p.start(), dump, become)
			var before, row provider.Status
			p.do("GET", "/api/providers/first", &before)
			if h := before.Hearsay; !strings.Contains(dump, " 200") && (h == nil || h.By != "uid 60675") {
				t.Errorf("whose report is it: %+v", h)
			}
			p.do("POST", "/api/providers/refresh?provider_id=first", nil)
			p.until(func() bool {
				p.do("GET", "/api/providers/first", &row)
				return row.CheckedAt.After(before.CheckedAt.Time) && row.State == provider.StateRunning
			})
			if !row.RetryAt.IsZero() {
				t.Errorf("everybody is kept from it until %v", row.RetryAt)
			}
			for agent, ids := range []string{"first second", "second first", "first"} {
				cmd := exec.Command(program("providerctl"), append([]string{"--socket", p.socket, "pick"}, strings.Fields(ids)...)...)
				become(agent, cmd)
				out, err := cmd.Output()
				want := "second"
				if ids == "first" {
					want = ids
				}
				if err != nil || strings.TrimSpace(string(out)) != want {
					t.Errorf("pick %s: %s, %v", ids, out, err)
				}
			}
		})
	}
}
