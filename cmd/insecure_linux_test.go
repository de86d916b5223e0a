package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A volume that everybody may write and that only root can change, as Kubernetes gives an
// emptyDir to a pod without root: a daemon uses what is its own in there if somebody
// says so, and other users of the pod can take it away and no more.
func TestInsecure_AVolumeThatEverybodyMayWrite(t *testing.T) {
	needRoot(t)
	dir, err := os.MkdirTemp("", "pv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	volume := filepath.Join(dir, "volume")
	folder(0, 0o777)(t, volume, "")
	pod, other := alone(daemonUID), alone(otherUID)
	file := filepath.Join(dir, "c.toml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "[daemon]\ninsecure_folders = [%q]\n[[provider]]\nid = \"a\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:9\"\n", volume+"/"), 0o644); err != nil {
		t.Fatal(err)
	}
	state, socket := filepath.Join(volume, "state"), filepath.Join(volume, "run", "s")
	elsewhere := "/" + filepath.Base(dir) // of the network's, so that no folder is needed

	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"StateIsRefused":     {[]string{"--state-dir", state, "--socket", elsewhere}, volume + " can be written by everybody (mode 0777)\nproviderd: try: make " + volume + " writable only by root and the user that runs providerd (if it is a volume that you cannot change: providerd --insecure-folder " + volume + ")"},
		"TheVolumeItself":    {[]string{"--state-dir", volume, "--insecure-folder", volume}, "choose a folder in it, such as " + volume + "/providerd: providerd --state-dir"},
		"TheSocketsOwn":      {[]string{"--state-dir", state, "--socket", volume + "/s", "--insecure-folder", volume}, "its folder " + volume + " belongs to uid 0|its folder " + volume + " can be written by everybody"},
		"AnotherFolder":      {[]string{"--state-dir", state, "--insecure-folder", dir}, volume + " can be written by everybody"},
		"TheRootFolder":      {[]string{"--state-dir", state, "--insecure-folder", "/"}, "insecure_folders has \"/\""},
		"WhatIsAnotherUsers": {[]string{"--state-dir", filepath.Join(dir, "theirs", "state"), "--insecure-folder", filepath.Join(dir, "theirs")}, "theirs belongs to uid 60666"},
	} {
		if name == "WhatIsAnotherUsers" {
			folder(otherUID, 0o777)(t, filepath.Join(dir, "theirs"), "")
		}
		code, says := outcome(t, inBare(pod, nil, "providerd", tt.args...))
		told := false
		for _, want := range strings.Split(tt.says, "|") {
			told = told || strings.Contains(says, want)
		}
		if code != 1 || !told {
			t.Errorf("%s: exit code %d, %s", name, code, says)
		}
	}

	log, _ := runDaemon(t, pod, nil, "--config", file, "--state-dir", state, "--socket", socket)
	eventually(t, "the start", func() bool { return strings.Contains(log.String(), "started") })
	if !strings.Contains(log.String(), "any user who can write in this folder can take away the database") {
		t.Error("the log does not warn")
	}
	well := func() bool {
		code, _ := outcome(t, inBare(pod, nil, "providerctl", "--socket", socket, "health", "-q"))
		return code == 0
	}
	if !well() {
		t.Error("it is not well")
	}
	as := func(u user, args ...string) (string, error) {
		cmd := exec.Command(args[0], args[1:]...)
		u.become(cmd)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	// Neither to be read nor to be written by others.
	for _, args := range [][]string{
		{"cat", state + "/providerd.db"}, {"ls", state}, {"touch", state + "/x"}, {"touch", volume + "/run/x"}, {"rm", "-f", socket},
	} {
		if out, err := as(other, args...); err == nil {
			t.Errorf("another user may %q: %s", args, out)
		}
	}
	// It can be taken away, and is made anew.
	if out, err := as(other, "mv", state, volume+"/gone"); err != nil {
		t.Fatalf("this test has no volume as it should be: %v %s", err, out)
	}
	commit := func(verb string) { // what is at the path is compared before each, which may then have to wait
		t.Helper()
		j := startJob(t, verb, inBare(pod, nil, "providerctl", "--socket", socket, verb, "a"))
		t.Cleanup(func() {
			_ = j.cmd.Process.Kill()
			j.end()
		})
	}
	commit("pause")
	eventually(t, "a new database", func() bool { _, err := os.Stat(state + "/providerd.db"); return err == nil })
	// What is put in its place is not used.
	_, err = as(other, "sh", "-c", fmt.Sprintf("mv %s %s/goneagain && mkdir -m 777 %s %s/trap && cp /dev/null %s/providerd.db", state, volume, state, volume, state))
	if err != nil {
		t.Fatal(err)
	}
	commit("resume")
	eventually(t, "a word about it", func() bool {
		_, says := outcome(t, inBare(pod, nil, "providerctl", "--socket", socket, "health"))
		return strings.Contains(says, state+" belongs to uid 60666")
	})
	for _, name := range []string{state, volume + "/trap"} {
		files, err := os.ReadDir(name)
		for _, f := range files {
			if info, err := f.Info(); err == nil && (info.Size() > 0 || f.Name() != "providerd.db") {
				t.Errorf("it has written into %s: %s", name, f.Name())
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
	if code, says := outcome(t, inBare(pod, nil, "providerctl", "--socket", socket, "status")); code != 0 {
		t.Errorf("it does not answer any more: %s", says)
	}
	if out, err := as(other, "mv", volume+"/run", volume+"/gonerun"); err != nil {
		t.Fatal(err, out)
	}
	eventually(t, "a new socket", func() bool { _, err := os.Stat(socket); return err == nil })
}
