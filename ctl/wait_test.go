package ctl_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl"
)

// With little time left, the daemon is asked to wait only briefly or not at all, so that
// its answer comes in time.
const (
	askWait    = "GET /api/providers/status?max_age=1s&provider_id=ollama&wait=15s"
	askShortly = "GET /api/providers/status?max_age=1s&provider_id=ollama&wait=" + anything
	askAtOnce  = "GET /api/providers/status?max_age=1s&provider_id=ollama&wait=0s"
)

func TestWait(t *testing.T) {
	t.Parallel()
	rejected := `{"id":"ollama","state":"ERROR","reason":"unauthorized","hint":"replace the key","age_ms":1000,"source":"probe"}`
	unmet := `{"id":"ollama","type":"generic","state":"ERROR","reason":"bad_response","age_ms":1000,"source":"probe"}`
	other := fmt.Sprintf(`{"id":"ollama","state":"ERROR","reason":"wrong_service","hint":"correct base_url","age_ms":1000,"source":"probe","since":%q`, time.Now().UTC().Format(time.RFC3339))
	away := other + `,"last_ok_at":"2020-01-01T00:00:00Z"}`
	limited := `{"id":"ollama","state":"DEGRADED","reason":"rate_limited","age_ms":99000,"stale":true,"source":"probe","retry_at":"2999-01-01T00:00:00Z"}`
	paused := `{"id":"ollama","state":"STOPPED","reason":"paused","paused":true,"hint":"providerctl resume ollama","age_ms":99000,"stale":true,"source":"probe"}`
	for name, tc := range map[string]struct {
		args     string
		replies  []reply
		code     int
		out, err string
	}{
		"IsTrueAtOnce":             {"", []reply{rows(ollamaUp)}, 0, "ollama is RUNNING (1.2 ms)\n", ""},
		"ComesTrue":                {"", []reply{rows(ollamaDown), rows(ollamaDown), rows(ollamaUp)}, 0, "ollama is RUNNING", ""},
		"Quiet":                    {"-q", []reply{rows(ollamaUp)}, 0, "", ""},
		"KnowsAliases":             {"--for ready", []reply{rows(ollamaUp)}, 0, "RUNNING", ""},
		"TakesSeveral":             {"--for RUNNING,disconnected", []reply{rows(ollamaDown)}, 0, "STOPPED", ""},
		"WaitsForAProbeToSaySo":    {"", []reply{rows(strings.Replace(rejected, `"source":"probe"`, `"source":"report"`, 1)), rows(ollamaUp)}, 0, "ollama is RUNNING", ""},
		"FailsEarly":               {"", []reply{rows(ollamaDown), rows(rejected)}, 1, "", "ollama is ERROR (unauthorized), which lasts until somebody acts\nproviderctl: hint: replace the key\n"},
		"AnExpectationMayComeTrue": {"", []reply{rows(unmet), rows(ollamaUp)}, 0, "RUNNING", ""},
		"ABalancerMayAnswerForIt":  {"", []reply{rows(away), rows(ollamaUp)}, 0, "RUNNING", ""},
		"AnotherProgramStays":      {"", []reply{rows(other + "}")}, 1, "", "which lasts until somebody acts"},
		"AndSoItDoesAfterAWhile":   {"", []reply{rows(strings.Replace(away, `"since":"20`, `"since":"19`, 1))}, 1, "", "which lasts until somebody acts"},
		"AnErrorMayBeWaitedFor":    {"--for ERROR", []reply{rows(rejected)}, 0, "ERROR", ""},
		"AServerMayStopByItself":   {"--for STOPPED", []reply{rows(rejected), rows(ollamaDown)}, 0, "STOPPED", ""},
		"FailsEarlyWhilePaused":    {"--for STOPPED,RUNNING", []reply{rows(paused)}, 1, "", "hint: providerctl resume ollama"},
		"TakesTheWordOfALimit":     {"--for DEGRADED", []reply{rows(limited)}, 0, "DEGRADED", ""},
		"UnknownProvider":          {"", []reply{refused(404, unknownID)}, 5, "", "no such provider"},
		"OutlivesAShutdown": {"", []reply{rows(ollamaDown), refused(503, `{"error":{"code":"shutting_down","message":"the daemon is shutting down"}}`), rows(ollamaUp)}, 0,
			"RUNNING", "the daemon is shutting down; still waiting for ollama"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, map[string][]reply{askWait: tc.replies})
			args := append([]string{"wait", "ollama"}, strings.Fields(tc.args)...)
			d.run(t, args...).want(t, tc.code, tc.out, tc.err)
		})
	}
}

// A row of the last second is good enough, if it says what is waited for. From then on
// the daemon is asked to look closer, so that a server that begins is seen at once.
func TestWait_LooksCloser(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, map[string][]reply{askShortly: {rows(ollamaDown), rows(ollamaDown), rows(ollamaUp)}})
	d.run(t, "wait", "ollama").want(t, 0, "RUNNING", "")
	closer := strings.Replace(askWait, "1s", "250ms", 1)
	if asked := d.requests(); len(asked) != 3 || asked[0] != askWait || asked[1] != closer || asked[2] != closer {
		t.Errorf("asked %q", asked)
	}
}

// When the time is up it says what was last known. The daemon's first answer must come
// before: on a busy machine that takes more than the little that is tried first.
func TestWait_TimesOut(t *testing.T) {
	t.Parallel()
	restored := `{"id":"ollama","state":"RUNNING","reason":"ok","age_ms":1000,"source":"restored","stale":true}`
	for name, tc := range map[string]struct{ row, says string }{
		"SaysWhatItIs":             {ollamaDown, "ollama is still STOPPED (connection_refused) after %v\nproviderctl: hint: start it: ollama serve\n"},
		"DoesNotTrustARestoredRow": {restored, "ollama is still RUNNING, last known after %v"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for timeout := 50 * time.Millisecond; ; timeout *= 2 {
				d := startDaemon(t, map[string][]reply{askShortly: {rows(tc.row)}})
				got := d.run(t, "wait", "ollama", "--timeout", timeout.String())
				if timeout < time.Minute && (strings.Contains(got.err, "the daemon did not answer in time") || strings.Contains(got.err, "has not answered since")) {
					continue
				}
				got.want(t, 6, "", fmt.Sprintf(tc.says, timeout))
				if asked := d.requests(); timeout < 200*time.Millisecond && asked[0] != askAtOnce {
					t.Errorf("with %v left it asks %s", timeout, asked[0])
				}
				return
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	absent := filepath.Join(t.TempDir(), "d.sock")
	t.Run("TellsHowToStartIt", func(t *testing.T) {
		t.Parallel()
		run(t.Context(), "--socket", absent, "status").want(t, 3, "", "hint: start it: providerd")
	})
	t.Run("WaitEndsToo", func(t *testing.T) {
		t.Parallel()
		run(t.Context(), "--socket", absent, "wait", "a", "--timeout", "50ms").want(t, 3, "", "not running")
	})
	t.Run("CompletionIsSilent", func(t *testing.T) {
		run(t.Context(), "--socket", absent, "__complete", "status", "").want(t, 0, ":4\n", "ShellCompDirectiveNoFileComp")
	})
}

func TestInterrupt(t *testing.T) {
	// at is the request that the interrupt comes after: whatever was asked before has to be
	// answered first.
	interrupted := func(t *testing.T, script map[string][]reply, at string, args ...string) result {
		t.Helper()
		d := startDaemon(t, script)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan result, 1)
		go func() { done <- run(ctx, append([]string{"--socket", d.socket}, args...)...) }()
		for d.awaitRequest(t) != at {
		}
		cancel()
		return <-done
	}
	held := stream(`{"type":"heartbeat","seq":1}`)
	held.hold = true
	t.Run("IsHowFollowingEnds", func(t *testing.T) {
		const daemon, events, log = "GET /api/daemon", "GET /api/events?follow=1&since=7", "GET /api/daemon/log?follow=1"
		interrupted(t, map[string][]reply{daemon: {at7}, events: {held}}, events, "events", "-f").want(t, 0, "", "")
		interrupted(t, map[string][]reply{daemon: {at7}, log: {held}}, log, "logs", "-f").want(t, 0, "", "")
	})
	t.Run("CutsAWaitShort", func(t *testing.T) {
		interrupted(t, map[string][]reply{askWait: {rows(ollamaDown)}}, askWait, "wait", "ollama").want(t, 130, "", "")
	})
	// Messages on stderr are written just before the next pause begins.
	t.Run("CutsAPauseShort", func(t *testing.T) {
		leaving := refused(503, `{"error":{"code":"shutting_down","message":"the daemon is shutting down"}}`)
		d := startDaemon(t, map[string][]reply{askWait: {rows(ollamaDown), leaving}})
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		code := ctl.Main(ctx, ctl.Env{
			Args:  []string{"--socket", d.socket, "wait", "ollama"},
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: interrupter(cancel),
			Getenv: environment(nil),
		})
		if code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
	})
}

// An interrupter interrupts at the first word.
type interrupter context.CancelFunc

func (i interrupter) Write(b []byte) (int, error) { i(); return len(b), nil }
