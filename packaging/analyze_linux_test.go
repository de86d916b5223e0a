package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/packaging"
)

// worst is the exposure, in tenths, that the system's unit may have. The rest is what the
// daemon needs: the network, its socket, and the identity of its clients.
const worst = "15"

func TestSystemUnit_Exposure(t *testing.T) {
	dir := analysable(t)
	out, err := analyze("security", "--offline=yes", "--no-pager", "--threshold="+worst, filepath.Join(dir, "providerd.service"))
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	t.Log(lines[len(lines)-1])
}

func TestSystemUnits_Verify(t *testing.T) {
	dir := analysable(t)
	out, err := analyze("verify", "--man=no", filepath.Join(dir, "providerd.service"), filepath.Join(dir, "providerd.socket"))
	for line := range strings.Lines(out) {
		// systemd before 254 does not know the back-off, and warns.
		if !strings.Contains(line, "RestartSteps") && !strings.Contains(line, "RestartMaxDelaySec") && strings.Contains(line, "providerd") {
			t.Error(line)
		}
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// analysable writes the units for a program that exists.
func analysable(t *testing.T) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not here")
	}
	dir = t.TempDir()
	for name, text := range map[string]string{
		"providerd.service": packaging.SystemUnit("/bin/true"),
		"providerd.socket":  packaging.SocketUnit(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func analyze(args ...string) (string, error) {
	out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
	return string(out), err
}
