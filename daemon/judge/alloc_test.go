package judge

import (
	"testing"

	"github.com/providerd/providerd/store/provider"
)

// A daemon with a thousand providers judges a hundred probes a second, and nearly all of
// them see the same as the last one.
func TestJudge_WhatIsNoNewsAllocatesNothing(t *testing.T) {
	p := local()
	r := begin(t, p).see(saw(provider.OK), saw(provider.OK)).r
	o := saw(provider.OK)
	if n := testing.AllocsPerRun(100, func() { Judge(&r, &o, p, MachineFine) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	p := local()
	r := Initial(p, nil)
	Judge(&r, new(saw(provider.OK)), p, MachineFine)
	o := saw(provider.OK)
	b.ReportAllocs()
	for b.Loop() {
		Judge(&r, &o, p, MachineFine)
	}
}
