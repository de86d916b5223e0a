package fleettest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A clock shifts the wall clock of one daemon, as no namespace does. Its monotonic clock is the
// machine's.
type clock struct {
	t    testing.TB
	file string // in which the daemon reads at each moment by how many seconds
}

// shiftedTime is added to Go's package time, in place of what reads the clock.
const shiftedTime = `package time

import (
	"syscall"
	"unsafe"
)

var shift = func() *int64 {
	name, _ := syscall.Getenv("FLEETTEST_CLOCK")
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic("FLEETTEST_CLOCK: " + err.Error())
	}
	page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("FLEETTEST_CLOCK: " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&page[0]))
}()

func shiftedNow() (sec int64, nsec int32, mono int64) {
	sec, nsec, mono = runtimeNow()
	return sec + *shift, nsec, mono
}
`

// shifted builds providerd with a clock that can be shifted, once. Its own code is unchanged.
var shifted = sync.OnceValues(func() (path string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	const before, after = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n", "func Now() Time {\n\tsec, nsec, mono := shiftedNow()\n"
	if strings.Count(string(text), before) != 1 {
		return "", fmt.Errorf("%s does not read the clock as in Go 1.26", source)
	}
	file := func(name, text string) string {
		if err == nil {
			err = os.WriteFile(filepath.Join(bin, name), []byte(text), 0o600)
		}
		return filepath.Join(bin, name)
	}
	overlay, _ := json.Marshal(map[string]any{"Replace": map[string]string{
		source: file("time.go", strings.Replace(string(text), before, after, 1)),
		filepath.Join(filepath.Dir(source), "shift.go"): file("shift.go", shiftedTime),
	}})
	path = filepath.Join(bin, "providerd-shifted")
	cmd := exec.Command("go", "build", "-C", filepath.Join("..", ".."), "-overlay", file("overlay.json", string(overlay)), "-o", path, "./cmd/providerd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err != nil {
		return "", err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// set shifts the clock by so much from now on.
func (c *clock) set(by time.Duration) {
	c.t.Helper()
	f, err := os.OpenFile(c.file, os.O_CREATE|os.O_WRONLY, 0o600)
	must(c.t, err)
	defer f.Close()
	_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(by/time.Second)), 0)
	must(c.t, err)
}

// skewed adds a member whose clock is wrong.
func (l *lab) skewed(member string, by time.Duration) (*daemon, *clock) {
	l.t.Helper()
	path, err := shifted()
	must(l.t, err)
	l.users(member)
	c := &clock{l.t, filepath.Join(l.t.TempDir(), "clock")}
	c.set(by)
	d := prepare(l.t, l.host(member), l.cloud(), l.section(member))
	d.path, d.env = path, []string{"FLEETTEST_CLOCK=" + c.file}
	d.start()
	l.daemons[member] = d
	return d, c
}

// now is the time by the daemon's clock.
func (d *daemon) now() time.Time {
	d.t.Helper()
	var reply struct{ TS time.Time }
	must(d.t, d.get("/api/fleet", &reply))
	return reply.TS
}

// times waits until what a daemon says of times is right by its own clock: the row is at most
// a minute and some seconds old, and a limit of 4 s lasts no longer. It needs a moment to notice
// that its clock was set.
func (d *daemon) times() {
	d.t.Helper()
	d.until("the right times", "cloud", func(r row) bool {
		now := d.now()
		age := now.Sub(r.CheckedAt)
		until, err := time.Parse(time.RFC3339, r.RetryAt)
		return age > -time.Second && age < 75*time.Second && (r.RetryAt == "" || err == nil && until.Sub(now) < 6*time.Second)
	})
}

// works asserts that a change, a limit and a refresh reach all daemons, with the right times.
func (l *lab) works(met *daemon) {
	l.t.Helper()
	for _, d := range l.alive() {
		d.times()
	}
	for _, is := range []struct {
		status int
		reason string
	}{{401, "unauthorized"}, {0, "ok"}} {
		l.change(is.status, is.reason, append([]*daemon{l.prober()}, l.alive()...)...)
	}
	if out, code := met.ctl("report", "cloud", "--status", "429", "--retry-after", "4"); code != 0 {
		l.t.Fatalf("report: exit code %d\n%s", code, out)
	}
	for _, d := range l.alive() {
		d.until("the limit", "cloud", func(r row) bool { return r.Reason == "rate_limited" && r.RetryAt != "" })
	}
	held := time.Now()
	for _, d := range l.alive() {
		d.times()
	}
	for _, d := range l.alive() {
		d.until("the end of the limit", "cloud", func(r row) bool { return r.State == "RUNNING" })
	}
	if took := time.Since(held); took > 15*time.Second {
		l.t.Errorf("a limit of 4 s lasts for %s", took)
	}
	l.prober()
}

// Nothing depends on the wall clocks of members: neither if one is wrong by ten minutes, as
// prober and as another, nor if it is set while the daemon runs.
func TestFleet_AClockIsWrong(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"Ahead": 10 * time.Minute, "Behind": -10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, true)
			wrong, clock := l.skewed("wrong", by)
			if skew := time.Until(wrong.now()) - by; skew.Abs() > 5*time.Second {
				t.Fatalf("its clock is wrong by %s, not %s", skew+by, by)
			}
			l.prober() // it comes first, so it is the prober
			l.users("gpu1", "gpu2")
			for _, m := range members[:2] {
				l.daemons[m] = newDaemon(t, l.host(m), l.cloud(), l.section(m))
			}
			if l.prober() != wrong {
				t.Fatal("another prober")
			}
			l.works(wrong)

			clock.set(-by) // it is set while the prober runs
			l.works(l.daemons["gpu1"])
			if l.prober() != wrong {
				t.Error("another prober, because a clock was set")
			}

			began := time.Now()
			wrong.kill()
			next := l.prober()
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%s takes over after %s", next.name, took)
			}
			clock.set(by)
			wrong.start()
			if l.prober() != next {
				t.Error("another prober")
			}
			events := wrong.events()
			clock.set(-by) // it is set while another one probes
			wrong.until("the other's word", "cloud", func(r row) bool { return r.Source == "fleet" && r.State == "RUNNING" })
			wrong.times()
			if now := wrong.events(); !slices.Equal(now, events) {
				t.Errorf("events %q became %q", events, now)
			}
			l.works(wrong)
			for _, d := range l.alive() {
				if lines := strings.Join(d.standing(), ""); d.mode() != "ok" || strings.Contains(lines, "cut off") {
					t.Errorf("%s: %s\n%s", d.name, d.mode(), lines)
				}
			}
		})
	}
}
