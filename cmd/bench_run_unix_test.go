//go:build unix

package cmd_test

import (
	"os/exec"
	"slices"
	"testing"
)

// BenchmarkRunAgainstPick compares whole processes, which ask the same daemon with five
// providers: run of a program that does nothing, pick, and that program alone. They run in
// turn, every second time in the opposite order. What run costs is its processor time
// without the program's own, as a ratio to that of pick.
func BenchmarkRunAgainstPick(b *testing.B) {
	const (
		most   = 1.2
		enough = 20 // rounds, before the ratio means something
	)
	nothing, err := exec.LookPath("true")
	if err != nil {
		b.Skip("no program that does nothing")
	}
	p := fiveProviders(b)
	ctl := []string{program("providerctl"), "--socket", p.socket}
	pick := &measured{name: "pick", args: append(slices.Clone(ctl), "pick")}
	run := &measured{name: "run", args: append(slices.Clone(ctl), "run", "p1", "--", nothing)}
	alone := &measured{name: "alone", args: []string{nothing}}
	all := []*measured{pick, run, alone}
	for b.Loop() {
		for _, m := range all {
			m.run(b)
		}
		slices.Reverse(all)
	}
	ratio := float64(run.cpu-alone.cpu) / float64(pick.cpu)
	b.ReportMetric(ratio, "run/pick")
	b.ReportMetric(float64(run.faults-alone.faults)/float64(pick.faults), "faults-run/pick")
	b.ReportMetric(float64(pick.cpu)/1e3/float64(b.N), "µs-cpu/pick")
	b.ReportMetric(float64(alone.cpu)/1e3/float64(b.N), "µs-cpu/alone")
	if b.N >= enough && ratio > most {
		b.Errorf("run costs %.2f times the processor time of pick, at most %v is allowed", ratio, most)
	}
}
