package cmd_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A newcomer is a user with an empty home.
type newcomer struct {
	t    *testing.T
	user user
	home string
}

func newNewcomer(t *testing.T, u user) *newcomer {
	t.Helper()
	home, err := os.MkdirTemp("", "pd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	chown(t, home, u.uid)
	return &newcomer{t, u, home}
}

func (n *newcomer) file() string { return filepath.Join(n.home, ".config/providerd/providerd.toml") }

// command is providerd run as that user.
func (n *newcomer) command(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(program("providerd"), args...)
	cmd.Dir = "/"
	cmd.Env = append([]string{"HOME=" + n.home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + n.home}, env...)
	n.user.become(cmd)
	return cmd
}

// types returns the output, and whether the command succeeded.
func (n *newcomer) types(env []string, args ...string) (string, bool) {
	out, err := n.command(env, args...).CombinedOutput()
	return string(out), err == nil
}

// A new user gets a file with the providers that run or whose key is set, which nobody else
// can read.
func TestConfig_AUsersFirstFile(t *testing.T) {
	here, _ := newNamespaces(t)
	serveIn(t, here, "127.0.0.1:11434", http.HandlerFunc(answerAsOllama))
	n := newNewcomer(t, alone(otherUID))
	var out string
	var ok bool
	inNamespace(t, here, func() { out, ok = n.types([]string{"XAI_API_KEY=" + vllmKey}, "config", "init", "--write") })
	if !ok {
		t.Fatal(out)
	}
	text, err := os.ReadFile(n.file())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"# It answers at http://127.0.0.1:11434, version 0.12.3.\n[[provider]]\nid = \"ollama\"\nkind = \"ollama\"\n#base_url = ",
		"[[provider]]\nid = \"xai\"\nkind = \"xai\"\napi_key_env = \"XAI_API_KEY\"\n",
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
	if strings.Contains(string(text), vllmKey) {
		t.Errorf("the key is in it:\n%s", text)
	}
	for path, want := range map[string]os.FileMode{n.file(): 0o600, filepath.Dir(n.file()): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if out, ok := n.types([]string{"XAI_API_KEY=" + vllmKey}, "config", "check"); !ok || !strings.Contains(out, n.file()+": good, ") {
		t.Errorf("it is not good: %s", out)
	}
	if out, ok := n.types([]string{"EDITOR=true"}, "--system", "config", "edit"); ok || !strings.Contains(out, "permission denied") ||
		!strings.Contains(out, "try: sudo providerd config edit --system") {
		t.Errorf("the machine's file may be edited: %s", out)
	}
}

// Root's file is another one: a user who may not write their own is not sent to sudo.
func TestConfig_APersonsOwnFileIsNotRoots(t *testing.T) {
	needRoot(t)
	n := newNewcomer(t, alone(otherUID))
	chown(t, n.home, 0)
	if out, ok := n.types(nil, "config", "init", "--write"); ok || !strings.Contains(out, "permission denied") || strings.Contains(out, "sudo") || !strings.Contains(out, "try: see whose it is: ls -ld "+n.file()) {
		t.Errorf("%v %s", ok, out)
	}
}

// A full disk leaves the file as it was, or no file if there was none.
func TestConfig_AFullDiskChangesNothing(t *testing.T) {
	needRoot(t)
	const old = "[[provider]]\nid = \"a\"\nkind = \"tcp\"\nbase_url = \"tcp://127.0.0.1:1\"\n"
	done := make(chan error, 1)
	go func() {
		done <- onFullDisk(t, func(n *newcomer, fill func()) {
			file := filepath.Join(n.home, "c.toml")
			if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
				t.Error(err)
			}
			chown(t, file, otherUID)
			tmp := []string{"TMPDIR=/tmp", `EDITOR=sh -c 'printf "\n#%9000s\n" x >>$0'`}
			fill()
			if out, ok := n.types(tmp, "--config", file, "config", "edit"); ok || !strings.Contains(out, "no space left on device") || !strings.Contains(out, "your text is in /tmp/providerd-edit-") {
				t.Errorf("edited: %s", out)
			} else if _, after, _ := strings.Cut(out, "your text is in "); after != "" {
				os.RemoveAll(filepath.Dir(strings.TrimSpace(strings.SplitN(after, "\n", 2)[0])))
			}
			if got, err := os.ReadFile(file); string(got) != old {
				t.Errorf("the file has %q %v", got, err)
			}
			if out, ok := n.types(nil, "--config", n.home+"/new.toml", "config", "init", "--write"); ok || !strings.Contains(out, "no space left on device") {
				t.Errorf("begun: %s", out)
			}
			if left, _ := filepath.Glob(n.home + "/*.toml*"); len(left) != 1 {
				t.Errorf("left: %q", left)
			}
		})
	}()
	if err := <-done; err != nil {
		t.Skip("no mount namespace can be made here:", err)
	}
}

// onFullDisk gives a newcomer a home on a small disk, which fill fills.
func onFullDisk(t *testing.T, f func(n *newcomer, fill func())) error {
	runtime.LockOSThread() // for good: the thread ends with this goroutine
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return err
	}
	n := newNewcomer(t, alone(otherUID))
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("none", n.home, "tmpfs", 0, fmt.Sprintf("size=16k,mode=700,uid=%d", otherUID)); err != nil {
		return err
	}
	defer unix.Unmount(n.home, 0)
	f(n, func() { _ = os.WriteFile(filepath.Join(n.home, "full"), make([]byte, 64<<10), 0o600) })
	return nil
}

// On a terminal, after a mistake, the user is asked, and edits the same text again.
func TestConfig_EditsAgainOnATerminal(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.toml")
	if err := os.WriteFile(file, []byte("autodetect = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	editor := `sh -c 'if grep -q mistake "$0"; then echo "autodetect = false" >"$0"; else echo "mistake = 1" >>"$0"; fi'`
	keys, screen := startOnTerminal(t, dir, []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm", "TMPDIR=" + dir, "EDITOR=" + editor},
		[]string{program("providerd"), "--config", file, "config", "edit"})
	shows(t, screen, "(e)", "unknown setting")
	if _, err := keys.WriteString("what?\ne\n"); err != nil {
		t.Fatal(err)
	}
	shows(t, screen, "put it in force: providerctl reload", "saved "+file)
	if text, err := os.ReadFile(file); string(text) != "autodetect = false\n" {
		t.Errorf("the file has %q %v", text, err)
	}
}

// shows waits until the screen has a text; what else it must have then follows.
func shows(t *testing.T, screen *lockedBuffer, text string, more ...string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(screen.String(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q on:\n%s", text, screen)
		}
	}
	for _, text := range more {
		if !strings.Contains(screen.String(), text) {
			t.Errorf("no %q on:\n%s", text, screen)
		}
	}
}
