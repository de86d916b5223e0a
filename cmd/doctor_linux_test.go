package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The doctor works for a user who may not connect, for one who may not change anything, and
// with a daemon that does not answer.
func TestDoctor_AsEveryUser(t *testing.T) {
	needRoot(t)
	p := newProcessOf(t, alone(daemonUID), fmt.Sprintf("autodetect = false\n[daemon]\nadmin_group = \"%d\"\n[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n", adminGID))
	p.start()
	t.Run("APersonsOwnIsClosedToOthers", func(t *testing.T) {
		c := p.doctor(t, alone(otherUID))
		c.says(t, "socket", "fail", "you may not open", fmt.Sprintf("uid %d, mode 0600", daemonUID), "sudo")
		c.says(t, "daemon", "skip", "may not open")
	})
	t.Run("ItsOwner", func(t *testing.T) {
		p.doctor(t, alone(daemonUID)).says(t, "rights", "ok", "pause, report, reload")
	})
	p.kill()
	p.system = true
	p.start()
	t.Run("TheMachinesIsOpenToReadAndRefresh", func(t *testing.T) {
		c := p.doctor(t, alone(otherUID))
		c.says(t, "rights", "ok", "read, refresh and report, but not pause", fmt.Sprintf("sudo usermod -aG %d $USER", adminGID))
		c.says(t, "configuration", "ok", p.config)
		c.says(t, "a", "warn", "connection_refused")
	})
	t.Run("AMember", func(t *testing.T) {
		p.doctor(t, user{uid: otherUID, gid: otherUID, groups: []uint32{adminGID}}).says(t, "rights", "ok", "pause, report, reload")
	})
	t.Run("OneThatIsStopped", func(t *testing.T) {
		pid := p.cmd.Process.Pid
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		defer syscall.Kill(pid, syscall.SIGCONT)
		p.doctor(t, alone(0)).says(t, "daemon", "fail", "did not answer", fmt.Sprintf("process %d is stopped", pid), fmt.Sprintf("kill -CONT %d", pid))
	})
}

// A checkup is what the doctor finds, by subject: the level and the whole text.
type checkup map[string][2]string

func (c checkup) says(t *testing.T, subject, level string, parts ...string) {
	t.Helper()
	for _, part := range append(parts, "") {
		if got := c[subject]; got[0] != level || !strings.Contains(got[1], part) {
			t.Errorf("%s: %q, want %s with %q", subject, got, level, part)
		}
	}
}

// doctor runs it as a user.
func (p *process) doctor(t *testing.T, u user) checkup {
	t.Helper()
	cmd := exec.Command(program("providerctl"), "--socket", p.socket, "doctor", "-o", "json")
	cmd.Env, cmd.Dir = []string{"HOME=/nonexistent", "PATH=/usr/bin:/bin"}, "/"
	u.become(cmd)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return checkupOf(t, out)
}

func checkupOf(t *testing.T, out []byte) checkup {
	t.Helper()
	var reply struct {
		Checks []struct {
			Subject, ID, Level, Summary string
			Details, Fix                []string
		}
	}
	if err := json.Unmarshal(out, &reply); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := checkup{}
	for _, f := range reply.Checks {
		title := f.Subject
		if title == "provider" {
			title = f.ID
		}
		c[title] = [2]string{f.Level, strings.Join(append(append([]string{f.Summary}, f.Details...), f.Fix...), "\n")}
	}
	return c
}

// What a start would refuse, because others can change it, is told before the start.
func TestDoctor_AHomeThatOthersCanChange(t *testing.T) {
	n := newNewcomer(t, alone(otherUID))
	if err := os.MkdirAll(filepath.Dir(n.file()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(n.file(), []byte("autodetect = true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(n.home, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program("providerctl"), "doctor", "-o", "json")
	cmd.Env, cmd.Dir = []string{"HOME=" + n.home, "XDG_RUNTIME_DIR=" + filepath.Join(n.home, "run"), "PATH=/usr/bin:/bin"}, "/"
	n.user.become(cmd)
	out, _ := cmd.Output()
	c := checkupOf(t, out)
	c.says(t, "configuration", "fail", "can be written by everybody")
	c.says(t, "disk", "fail", n.home+" can be written by everybody")
}
