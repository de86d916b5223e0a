package cmd_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// BenchmarkDaemonBesideBase runs two daemons at the same time over the same loopback
// servers: one of this tree, and one of PROVIDERD_BASE, a commit or the path of a built
// program. PROVIDERD_PROVIDERS is how many providers each probes every 10 s; 1,000 if it
// is not set.
//
// Other programs on the machine affect both alike, so the ratios hold even if the figures
// do not. Each iteration watches both for a minute, in which each provider is probed for
// all facts once.
func BenchmarkDaemonBesideBase(b *testing.B) {
	const watched = time.Minute
	base := os.Getenv("PROVIDERD_BASE")
	if base == "" {
		b.Skip("PROVIDERD_BASE names nothing to compare with: set it to a commit, or to the path of a providerd")
	}
	providers, err := strconv.Atoi(cmp.Or(os.Getenv("PROVIDERD_PROVIDERS"), "1000"))
	if err != nil || providers < 1 {
		b.Fatalf("PROVIDERD_PROVIDERS is %q: set it to a number of providers", os.Getenv("PROVIDERD_PROVIDERS"))
	}
	var servers strings.Builder
	for i := range providers {
		fmt.Fprintf(&servers, "[[provider]]\nid = \"p%d\"\nkind = \"ollama\"\nbase_url = \"http://%s\"\n", i, serveOllama(b))
	}
	// All daemons share the ticks of one wall clock, one a second or every half second.
	// With slightly different intervals the two coincide only sometimes, and neither
	// always waits for the other.
	ours := startBeside(b, "", "9.9s", servers.String())
	theirs := startBeside(b, buildBase(b, base), "10s", servers.String())
	for _, p := range []*process{ours, theirs} {
		p.until(func() bool { return p.unchecked() == 0 })
	}
	<-time.After(20 * time.Second) // the second round is spread, and later ones are alike

	var spentOurs, spentTheirs spent
	for b.Loop() {
		fromOurs, fromTheirs := ours.spent(), theirs.spent()
		<-time.After(watched)
		spentOurs.add(ours.spent(), fromOurs)
		spentTheirs.add(theirs.spent(), fromTheirs)
	}
	spentOurs.report(b, ours, "")
	spentTheirs.report(b, theirs, "-base")
	b.ReportMetric(spentOurs.perProbe(spentOurs.cpu)/spentTheirs.perProbe(spentTheirs.cpu), "ratio-cpu")
	b.ReportMetric(float64(ours.resident())/float64(theirs.resident()), "ratio-resident")
	b.ReportMetric(float64(ours.anonymous())/float64(theirs.anonymous()), "ratio-anonymous")
	b.ReportMetric(0, "ns/op") // always a minute
}

// startBeside starts a daemon as users do, without a log line for each probe.
func startBeside(b *testing.B, path, interval, servers string) *process {
	p := newProcess(b, "[defaults]\ninterval = \""+interval+"\"\n"+servers)
	p.path, p.level = path, "info"
	return p.start()
}

// buildBase returns the providerd of a commit, or the program at a path.
func buildBase(b *testing.B, base string) string {
	if info, err := os.Stat(base); err == nil && info.Mode().IsRegular() {
		path, err := filepath.Abs(base)
		if err != nil {
			b.Fatal(err)
		}
		return path
	}
	dir := b.TempDir()
	archive := exec.Command("git", "archive", "--output", filepath.Join(dir, "tree.tar"), base)
	archive.Dir = ".." // of the whole tree
	if out, err := archive.CombinedOutput(); err != nil {
		b.Skipf("no tree of the commit %s: %v\n%s", base, err, out)
	}
	for _, args := range [][]string{
		{"tar", "-xf", "tree.tar"},
		{"go", "build", "-o", "providerd-base", "./cmd/providerd"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("build the commit %s: %s: %v\n%s", base, args[0], err, out)
		}
	}
	return filepath.Join(dir, "providerd-base")
}

// A spent is what a daemon used in some time, or since it started.
type spent struct {
	cpu    time.Duration
	probes uint64
	faults uint64
}

// spent reads what the daemon used since it started.
func (p *process) spent() spent {
	var info provider.DaemonInfo
	p.do("GET", "/api/daemon", &info)
	return spent{cpu: p.exactCPU(), probes: info.Counters.Probes, faults: p.faults()}
}

// add adds what was used between two moments.
func (s *spent) add(to, from spent) {
	s.cpu += to.cpu - from.cpu
	s.probes += to.probes - from.probes
	s.faults += to.faults - from.faults
}

func (s *spent) perProbe(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1e3 / float64(s.probes)
}

// report reports what a daemon used, and how much memory it has.
func (s *spent) report(b *testing.B, p *process, of string) {
	b.ReportMetric(s.perProbe(s.cpu), "µs-cpu/probe"+of)
	b.ReportMetric(float64(s.faults)/float64(s.probes), "faults/probe"+of)
	b.ReportMetric(float64(p.resident())/(1<<20), "MiB-resident"+of)
	b.ReportMetric(float64(p.anonymous())/(1<<20), "MiB-anonymous"+of)
}

// exactCPU is the processor time of the process, by its clock, which unlike /proc does not
// count in ticks of 10 ms. The clock's number is that of clock_getcpuclockid(3).
func (p *process) exactCPU() time.Duration {
	const schedule = 2 // the kernel's CPUCLOCK_SCHED
	var at unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|schedule), &at); err != nil {
		p.t.Fatalf("read the clock of process %d: %v", p.cmd.Process.Pid, err)
	}
	return time.Duration(at.Nano())
}

// faults is how often the process touched a page that was not mapped.
func (p *process) faults() uint64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+2:]) // from the third on
	n, err := strconv.ParseUint(string(fields[10-3]), 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// anonymous is the part of the process's memory that no file backs, in bytes.
func (p *process) anonymous() int64 {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(rollup)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Anonymous:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return kib << 10
		}
	}
	p.t.Fatal("smaps_rollup does not tell the anonymous memory")
	return 0
}
