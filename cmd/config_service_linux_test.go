package cmd_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Root can read everything. What the service's user cannot read is reported all the same;
// what only another user cannot read is not a fault of the file. The machine's /etc is the
// test's own.
func TestConfig_CheckedAsTheServiceReads(t *testing.T) {
	needRoot(t)
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		done <- withOwnEtc(func() { checkAsTheService(t) })
	}()
	if err := <-done; err != nil {
		t.Skip("no mount namespace can be made here:", err)
	}
}

func withOwnEtc(f func()) error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for _, dir := range []string{"/etc", "/run"} {
		if err := unix.Mount("none", dir, "tmpfs", 0, "mode=755"); err != nil {
			return err
		}
	}
	if err := os.MkdirAll("/run/systemd/system", 0o755); err != nil { // where systemd is
		return err
	}
	f()
	return nil
}

func checkAsTheService(t *testing.T) {
	const file = "/etc/providerd/providerd.toml"
	for name, text := range map[string]string{
		"passwd":                      fmt.Sprintf("root:x:0:0::/root:/bin/sh\nproviderd:x:%d:%d::/:/bin/false\n", daemonUID, daemonUID),
		"group":                       fmt.Sprintf("root:x:0:\nproviderd:x:%d:\nsecrets:x:%d:providerd\n", daemonUID, adminGID),
		"providerd/providerd.toml":    "",
		"providerd/groq.key":          "not-a-key-of-anybody",
		"providerd/locked/openai.key": "not-a-key-of-anybody",
		"providerd/credentials/groq":  "not-a-key-of-anybody",
	} {
		path := filepath.Join("/etc", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
	const groq = "[[provider]]\nid = \"groq\"\nkind = \"groq\"\napi_key_file = \"/etc/providerd/groq.key\"\n"
	const openai = "[[provider]]\nid = \"openai\"\nkind = \"openai\"\napi_key_file = \"/etc/providerd/locked/openai.key\"\n"
	for _, c := range []struct {
		name, text string
		modes      map[string]os.FileMode
		group      int // of the key
		as         user
		code       int
		says       []string
	}{
		{name: "Good", text: groq, modes: map[string]os.FileMode{"groq.key": 0o640}, group: adminGID, says: []string{"good, 1 provider"}},
		{name: "ClosedKey", text: groq, modes: map[string]os.FileMode{"groq.key": 0o600}, code: 1, says: []string{
			`api_key_file of "groq": /etc/providerd/groq.key: the user providerd may not read it (mode 0600)`,
			"try: sudo chgrp providerd /etc/providerd/groq.key && sudo chmod g+r /etc/providerd/groq.key",
		}},
		{name: "ClosedFolder", text: openai, modes: map[string]os.FileMode{"locked": 0o700, "locked/openai.key": 0o644}, code: 1, says: []string{
			`/etc/providerd/locked/openai.key: the user providerd may not pass through /etc/providerd/locked (mode 0700)`, "chmod g+x /etc/providerd/locked",
		}},
		{name: "ClosedFile", text: "autodetect = true\n", modes: map[string]os.FileMode{"providerd.toml": 0o600}, code: 1, says: []string{
			"the configuration: " + file + ": the user providerd may not read it (mode 0600)",
		}},
		{name: "AnotherUserChecks", text: groq, modes: map[string]os.FileMode{"groq.key": 0o640}, group: adminGID, as: alone(otherUID), says: []string{
			"not checked, because the service may read it and you may not", "good, 1 provider",
		}},
		{name: "AnotherUserMayNotReadIt", text: groq, modes: map[string]os.FileMode{"providerd.toml": 0o640}, as: alone(otherUID), code: 1, says: []string{
			"permission denied", "try: sudo providerd config check --system",
		}},
		{name: "PassedOnBySystemd", text: strings.Replace(groq, "/etc/providerd/groq.key", "key_groq", 1), says: []string{"good, 1 provider"}},
		{name: "HiddenByTheUnit", text: "[[provider]]\nid = \"x\"\nkind = \"exec\"\ncommand = [\"/tmp/plug-in\"]\n", says: []string{
			`warning: command of "x": /tmp/plug-in: the service has a folder of its own there (PrivateTmp=yes)`, "good, 1 provider",
		}},
	} {
		// No t.Run: it would be on another thread, with another /etc.
		err := os.WriteFile(file, []byte(c.text), 0o644)
		for name, mode := range map[string]os.FileMode{"providerd.toml": 0o644, "groq.key": 0o640, "locked": 0o755, "credentials": 0o700} {
			if m := c.modes[name]; m != 0 {
				mode = m
			}
			err = errors.Join(err, os.Chmod("/etc/providerd/"+name, mode))
		}
		if err = errors.Join(err, os.Chown("/etc/providerd/groq.key", 0, c.group)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		cmd := exec.Command(program("providerd"), "--system", "config", "check")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
		c.as.become(cmd)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.name, code, c.code)
		}
		for _, part := range c.says {
			if !strings.Contains(string(out), part) {
				t.Errorf("%s: it does not say %q:\n%s", c.name, part, out)
			}
		}
	}

	checkTheFleetsFiles(t)
	checkAsADropInSays(t)

	// A reload finds no key that systemd has to pass on.
	edit := exec.Command(program("providerd"), "--system", "config", "edit")
	edit.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/", `EDITOR=sh -c 'printf "[[provider]]\nid = \"groq\"\nkind = \"groq\"\napi_key_file = \"key_groq\"\n" >"$0"'`}
	if out, err := edit.CombinedOutput(); err != nil || !strings.Contains(string(out), "put it in force: sudo systemctl restart providerd") {
		t.Errorf("edited: %v\n%s", err, out)
	}
}

// The check of the fleet is root's, but the files are for the service.
func checkTheFleetsFiles(t *testing.T) {
	err := errors.Join(
		os.WriteFile("/etc/providerd/fleet_key", []byte(strings.Repeat("A", 43)), 0o600),
		os.WriteFile("/etc/providerd/providerd.toml",
			[]byte("[fleet]\nname = \"lab\"\nendpoints = [\"http://127.0.0.1:1\"]\nfleet_key_file = \"/etc/providerd/fleet_key\"\n"), 0o644),
	)
	if err != nil {
		t.Error(err)
		return
	}
	check := exec.Command(program("providerd"), "--system", "fleet", "check")
	check.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
	const want = "FAILED   fleet_key_file of [fleet]: /etc/providerd/fleet_key: the user providerd may not read it"
	if out, err := check.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
		t.Errorf("it does not say %q: %v\n%s", want, err, out)
	}
}

// The service may run as somebody else, see home directories, or be in other groups, by
// a drop-in.
func checkAsADropInSays(t *testing.T) {
	const file, key, dropIn = "/etc/providerd/providerd.toml", "/etc/providerd/groq.key", "/etc/systemd/system/providerd.service.d/override.conf"
	users := fmt.Sprintf("root:x:0:0::/root:/bin/sh\nproviderd:x:%d:%d::/:/bin/false\nalice:x:%d:%d::/:/bin/false\n", daemonUID, daemonUID, otherUID, otherUID)
	err := errors.Join(
		os.WriteFile("/etc/passwd", []byte(users), 0o644),
		os.WriteFile("/etc/group", fmt.Appendf(nil, "root:x:0:\nproviderd:x:%d:\nwriters:x:%d:\nsecrets:x:%d:\n", daemonUID, otherUID, adminGID), 0o644),
		os.MkdirAll(filepath.Dir(dropIn), 0o755),
		os.WriteFile("/etc/systemd/system/providerd.service", []byte("[Service]\nUser=providerd\nGroup=providerd\nProtectHome=yes\nPrivateTmp=yes\n"), 0o644),
		os.WriteFile(file, []byte("[[provider]]\nid = \"groq\"\nkind = \"groq\"\napi_key_file = \""+key+"\"\n"), 0o644),
	)
	if err != nil {
		t.Error(err)
		return
	}
	for _, c := range []struct {
		name, dropIn string
		uid, gid     int // of the key, of mode 0640
		says         string
	}{
		{name: "NoDropIn", dropIn: "", uid: daemonUID, says: "good, 1 provider"},
		{name: "AnothersKey", dropIn: "User=alice\nGroup=", uid: daemonUID, says: "the user alice may not read it (mode 0640)"},
		{name: "TheHintNamesTheGroup", dropIn: "User=alice\nGroup=", uid: daemonUID, says: "sudo chgrp writers " + key},
		{name: "TheirKey", dropIn: "User=alice\nGroup=", uid: otherUID, says: "good, 1 provider"},
		{name: "ByNumber", dropIn: fmt.Sprintf("User=%d", otherUID), uid: otherUID, says: "good, 1 provider"},
		{name: "AnotherGroup", dropIn: "Group=secrets", uid: 0, gid: adminGID, says: "good, 1 provider"},
		{name: "MoreGroups", dropIn: "SupplementaryGroups=secrets", uid: 0, gid: adminGID, says: "good, 1 provider"},
		{name: "Root", dropIn: "User=root", uid: 0, says: "good, 1 provider"},
		{name: "NobodyIsRoot", dropIn: "User=", uid: 0, says: "good, 1 provider"},
	} {
		err := errors.Join(os.WriteFile(dropIn, []byte("[Service]\n"+c.dropIn+"\n"), 0o644), os.Chmod(key, 0o640), os.Chown(key, c.uid, c.gid))
		cmd := exec.Command(program("providerd"), "--system", "config", "check")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
		out, _ := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v, it does not say %q:\n%s", c.name, err, c.says, out)
		}
	}
	for setting, hidden := range map[string]bool{"ProtectHome=no": false, "ProtectHome=read-only": false, "ProtectHome=tmpfs": true, "#": true} {
		err := errors.Join(os.WriteFile(dropIn, []byte("[Service]\n"+setting+"\n"), 0o644),
			os.WriteFile(file, []byte("[[provider]]\nid = \"x\"\nkind = \"exec\"\ncommand = [\"/home/plug-in\"]\n"), 0o644))
		cmd := exec.Command(program("providerd"), "--system", "config", "check")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
		if out, _ := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "no home directories") != hidden {
			t.Errorf("%s: %v, %s", setting, err, out)
		}
	}
}
