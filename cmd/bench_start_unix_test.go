//go:build unix

package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// BenchmarkProviderctlAgainstCurl compares whole processes, which ask the same daemon with
// five providers: the commands for scripts, of a plain go build and of a release, and
// curl. They run in turn, every second time in the opposite order. It reports shares of
// curl's processor time, and page faults, on which that time depends.
func BenchmarkProviderctlAgainstCurl(b *testing.B) {
	path, err := exec.LookPath("curl")
	if err != nil {
		b.Skip("no curl to compare with")
	}
	p := fiveProviders(b)
	curl := &measured{name: "curl", args: []string{path, "-s", "--unix-socket", p.socket, "http://localhost/api/providers/status"}}
	all := []*measured{curl}
	for _, build := range []struct{ name, path string }{{"plain", program("providerctl")}, {"release", releaseBuild(b)}} {
		for _, args := range [][]string{{"status"}, {"is-running", "p1"}, {"pick"}} {
			all = append(all, &measured{name: build.name + "-" + args[0], args: append([]string{build.path, "--socket", p.socket}, args...)})
		}
	}
	for b.Loop() {
		for _, m := range all {
			m.run(b)
		}
		slices.Reverse(all)
	}
	for _, m := range all {
		b.ReportMetric(float64(m.cpu)/float64(curl.cpu), m.name+"/curl")
		b.ReportMetric(float64(m.faults)/float64(b.N), m.name+"-faults")
	}
	b.ReportMetric(float64(curl.cpu)/1e3/float64(b.N), "µs-cpu/curl")
}

// A measured program is one whose runs are added up.
type measured struct {
	name   string
	args   []string
	cpu    int64 // in nanoseconds
	faults int64 // pages that were mapped or made
}

func (m *measured) run(b *testing.B) {
	cmd := exec.Command(m.args[0], m.args[1:]...)
	if err := cmd.Run(); err != nil {
		b.Fatalf("%q: %v", m.args, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Skip("no resource usage here")
	}
	m.cpu += usage.Utime.Nano() + usage.Stime.Nano()
	m.faults += int64(usage.Minflt)
}

// releaseBuild is providerctl as packaging/build.sh builds it.
func releaseBuild(b *testing.B) string {
	out := filepath.Join(b.TempDir(), "providerctl")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.version=v1.2.3", "-o", out, "./providerctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, text)
	}
	return out
}

// fiveProviders is a daemon that has probed five providers.
func fiveProviders(b *testing.B) *process {
	config := patiently + "interval = \"1h\"\n"
	for i := range 5 {
		config += fmt.Sprintf("[[provider]]\nid = \"p%d\"\nkind = \"ollama\"\nbase_url = \"http://%s\"\n", i, serveOllama(b))
	}
	p := newProcess(b, config).start()
	p.until(func() bool { return p.unchecked() == 0 })
	return p
}
