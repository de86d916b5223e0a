//go:build unix

package cmd_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
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

// Whatever headers a program passes on, the row has few limits with plain names and numbers and
// times that can be true, and nothing reaches a terminal that controls it.
func TestLimits_OfHostileDumps(t *testing.T) {
	t.Parallel()
	p := newProcess(t, firstAndSecond(t)).start()
	p.until(func() bool { return p.unchecked() == 0 })
	const remaining = "x-ratelimit-remaining-requests: "
	many := ""
	for i := range 800 {
		many += fmt.Sprintf("x-ratelimit-remaining-%d: %d\r\n", i, i)
	}
	for name, tt := range map[string]struct {
		dump string
		want []string // the names of its limits; nil: the report is refused
	}{
		"Huge":              {"HTTP/2 200\r\n" + remaining + "99999999999999999999999\r\n" + "x-ratelimit-remaining-tokens: 5\r\n", []string{"tokens"}},
		"Negative":          {"HTTP/2 200\r\n" + remaining + "-1\r\n", nil},
		"NaN":               {"HTTP/2 200\r\n" + remaining + "NaN\r\nx-ratelimit-limit-requests: Infinity\r\n", nil},
		"FarFuture":         {"HTTP/2 200\r\n" + remaining + "0\r\nx-ratelimit-reset-requests: 9999-12-31T23:59:59Z\r\n", []string{"requests"}},
		"Twice":             {"HTTP/2 200\r\n" + remaining + "7\r\n" + remaining + "3\r\n", []string{"requests"}},
		"ControlCharacters": {"HTTP/2 200\r\nx-ratelimit-remaining-\x1b[31mred\x07: 1\r\n", []string{"[31mred"}},
		"OfSeveralVendors":  {"HTTP/2 200\r\nanthropic-ratelimit-unified-5h-utilization: 0.5\r\nx-tokenlimit-remaining: 4\r\nratelimit: \"burst\";r=3;t=5\r\n", []string{"burst", "tokens", "unified_5h"}},
		"Many":              {"HTTP/2 200\r\n" + many, []string{}},
		"OneLine":           {"HTTP/2 200\r\n" + remaining + strings.Repeat("9", 200_000), nil},
		"Binary":            {"\x00\xff\xfe" + strings.Repeat("\x00:", 10_000), nil},
	} {
		id := "first"
		if name == "Many" { // which leave no room
			id = "second"
		}
		before := p.limits(id)
		cmd := exec.Command(program("providerctl"), "--socket", p.socket, "report", id, "--headers", "-")
		cmd.Stdin = strings.NewReader(tt.dump)
		out, err := cmd.CombinedOutput()
		if refused := err != nil; refused != (tt.want == nil) {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		limits := p.limits(id)
		if tt.want == nil && len(limits) != len(before) || len(limits) > provider.MostLimits {
			t.Errorf("%s: %d limits, after %d", name, len(limits), len(before))
		}
		for _, want := range tt.want {
			if !slices.ContainsFunc(limits, func(l provider.Limit) bool { return l.Name == want }) {
				t.Errorf("%s: no limit %q in %+v", name, want, limits)
			}
		}
		for _, l := range limits {
			if l.Remaining == nil || *l.Remaining < 0 || *l.Remaining > 1e15 || l.ResetsAt.After(time.Now().Add(provider.LongestReset)) || l.Name == "" || len(l.Name) > 32 {
				t.Errorf("%s: %+v", name, l)
			}
		}
		shown := exec.Command(program("providerctl"), "--socket", p.socket, "limits", id)
		text, _ := shown.Output() // without limits it fails
		if strings.ContainsFunc(string(text)+string(out), func(r rune) bool { return r < ' ' && r != '\n' }) {
			t.Errorf("%s: %q %q", name, out, text)
		}
	}
}

// limits are those in the row of a provider.
func (p *process) limits(id string) []provider.Limit {
	var row provider.Status
	p.do("GET", "/api/providers/"+id, &row)
	return row.Limits.All()
}
