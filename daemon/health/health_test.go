package health_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/providerd/providerd/daemon/health"
	"github.com/providerd/providerd/store/provider"
)

// A trouble is a check that a test makes go bad.
type trouble struct{ problem atomic.Pointer[string] }

func (t *trouble) set(problem string) { t.problem.Store(&problem) }

func (t *trouble) check(name string, told bool) health.Check {
	t.set("")
	return health.Check{Name: name, Told: told, Problem: func() string { return *t.problem.Load() }}
}

func TestHealth_Report(t *testing.T) {
	var disk, socket trouble
	h := health.New(hclog.NewNullLogger(), disk.check("disk", false), socket.check("socket", false))
	for _, tt := range []struct {
		disk string
		want provider.Health
	}{
		{"", provider.Health{Status: "ok", Checks: map[string]string{"disk": "ok", "socket": "ok"}}},
		{"it does not answer", provider.Health{Status: "failing", Checks: map[string]string{"disk": "it does not answer", "socket": "ok"}}},
	} {
		disk.set(tt.disk)
		if diff := cmp.Diff(tt.want, h.Report()); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{"disk: it does not answer"}, h.Problems()); diff != "" {
		t.Error(diff)
	}
}

// The log has a line when a check fails and one when it recovers, within the
// time that is promised, whether or not anybody asks; and none of what is told
// elsewhere.
func TestHealth_IsLoggedOnce(t *testing.T) {
	for name, asked := range map[string]bool{"WhenAsked": true, "Unasked": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				var disk, store trouble
				h := health.New(hclog.New(&hclog.LoggerOptions{Output: &said, DisableTime: true}),
					disk.check("disk", false), store.check("store", true))
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { defer close(ended); h.Watch(ctx) }()
				look := func() {
					if asked {
						h.Report()
						h.Problems()
						return
					}
					time.Sleep(4 * time.Second)
				}
				look()
				for _, problem := range []string{"hangs for 5s", "hangs for 6s", "", "hangs for 7s"} {
					disk.set(problem)
					store.set(problem)
					look()
					look()
				}
				cancel()
				<-ended
				want := []string{
					`[ERROR] check failed: check=disk problem="hangs for 5s"`,
					`[INFO]  check recovered: check=disk`,
					`[ERROR] check failed: check=disk problem="hangs for 7s"`,
				}
				if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(said.String()), "\n")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestHangs(t *testing.T) {
	for _, tt := range []struct {
		what string
		age  time.Duration
		want string
	}{
		{"", 0, ""},
		{"a commit to /d/providerd.db", 4 * time.Second, ""},
		{"a commit to /d/providerd.db", 12 * time.Second, "a commit to /d/providerd.db has not ended for 12s: the disk does not answer"},
	} {
		if got := health.Hangs(tt.what, tt.age); got != tt.want {
			t.Errorf("%q after %s: %q, want %q", tt.what, tt.age, got, tt.want)
		}
	}
}
