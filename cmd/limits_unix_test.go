//go:build unix

package cmd_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Ten agents use one provider, each choosing anew before every request. Once one of them has
// told what its answer's headers said, the other nine avoid the provider: whatever they choose
// after the report has returned is another one.
func TestLimits_NineAgentsAvoidWhatTheTenthMet(t *testing.T) {
	for name, dump := range map[string]string{
		"ASuccessThatUsedUpTheLimit": "HTTP/2 200\r\nx-ratelimit-limit-requests: 50\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 1h\r\n",
		"ARefusal":                   "HTTP/2 429\r\nretry-after: 3600\r\nx-ratelimit-remaining-requests: 0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			nineAvoid(t, newProcess(t, firstAndSecond(t)).start(), dump, func(int, *exec.Cmd) {})
		})
	}
}

// firstAndSecond configures two providers that are alike.
func firstAndSecond(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	}))
	t.Cleanup(server.Close)
	config := patiently
	for _, id := range []string{"first", "second"} {
		config += "[[provider]]\nid = \"" + id + "\"\nkind = \"openai-compatible\"\nbase_url = \"" + server.URL + "/v1\"\n"
	}
	return config
}

// nineAvoid runs the agents 0 to 8 and then the report of agent 9; become makes a command that
// of an agent.
func nineAvoid(t *testing.T, p *process, dump string, become func(agent int, cmd *exec.Cmd)) {
	ctl := func(agent int, in string, args ...string) string {
		cmd := exec.Command(program("providerctl"), append([]string{"--socket", p.socket}, args...)...)
		become(agent, cmd)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	ctl(9, "", "wait", "first", "second", "--for", "RUNNING", "--timeout", "60s")

	type choice struct {
		began, ended time.Time
		id           string
	}
	var (
		mu      sync.Mutex
		choices []choice
		agents  sync.WaitGroup
	)
	told, chosen := make(chan struct{}), make(chan struct{}, 9)
	for agent := range 9 {
		agents.Go(func() {
			for after := 0; after < 3; { // choices that began after the report
				select {
				case <-told:
					after++
				default:
				}
				c := choice{began: time.Now()}
				c.id = ctl(agent, "", "pick")
				c.ended = time.Now()
				mu.Lock()
				choices = append(choices, c)
				mu.Unlock()
				select {
				case chosen <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 9 {
		<-chosen
	}
	began := time.Now()
	ctl(9, dump, "report", "first", "--headers", "-")
	ended := time.Now()
	close(told)
	agents.Wait()

	var last time.Time
	before, after := 0, 0
	for _, c := range choices {
		switch {
		case c.id == "first":
			before++
			if c.began.After(ended) {
				t.Errorf("an agent chose first %s after the report", c.began.Sub(ended))
			}
			if c.ended.After(last) {
				last = c.ended
			}
		case c.id == "second":
			after++
		default:
			t.Errorf("%q was chosen", c.id)
		}
	}
	if before == 0 || after < 27 {
		t.Errorf("%d choices of first and %d of second", before, after)
	}
	t.Logf("the report took %s; the last choice of first ended %s after it began", ended.Sub(began), last.Sub(began))
}
