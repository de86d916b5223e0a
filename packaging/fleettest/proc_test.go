package fleettest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A usage is what a process has used of this machine: proc_pid_stat(5), proc_pid_status(5).
type usage struct {
	at        time.Time
	cpu       time.Duration
	anonymous int // resident, in bytes
	file      int // resident, in bytes: of mapped files, and shared
}

func (u usage) resident() int { return u.anonymous + u.file }

// cores is how many cores a process used since an earlier moment.
func (u usage) cores(since usage) float64 {
	return (u.cpu - since.cpu).Seconds() / u.at.Sub(since.at).Seconds()
}

func usageOf(t testing.TB, pid int) usage {
	t.Helper()
	u := usage{at: time.Now()}
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	must(t, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, ticks := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(ticks)
		must(t, err)
		u.cpu += time.Duration(n) * time.Second / 100 // USER_HZ
	}
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	must(t, err)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		var kib int
		if _, err := fmt.Sscan(value, &kib); err != nil {
			continue
		}
		switch name {
		case "RssAnon":
			u.anonymous = kib << 10
		case "RssFile", "RssShmem":
			u.file += kib << 10
		}
	}
	return u
}

// mib is a size to show.
func mib(bytes int) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
