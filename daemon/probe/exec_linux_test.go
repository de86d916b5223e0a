package probe_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/store/provider"
)

// TestExec_LeavesNoZombies runs plug-ins like the first process of a container, which
// inherits orphans. It runs in a process of its own, because it must not wait for children
// of the other tests.
func TestExec_LeavesNoZombies(t *testing.T) {
	const inner = "PROVIDERD_TEST_ORPHANS"
	if os.Getenv(inner) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestExec_LeavesNoZombies$", "-test.count=1")
		cmd.Env = append(os.Environ(), inner+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"sleep 1000 & exit 0", "sleep 1000 >/dev/null 2>&1 & exit 0", "(sleep 0 &); exit 0"} {
		if o := script(t, text); o.Saw != provider.OK {
			t.Errorf("%s: saw %s %q", text, o.Saw, o.Detail)
		}
	}
	children, err := os.ReadFile("/proc/thread-self/children")
	if err != nil {
		t.Skip(err) // a kernel without CONFIG_PROC_CHILDREN
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		more, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		children = append(children, more...)
	}
	if left := strings.Fields(string(children)); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}
