package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A plant puts something at path that the daemon did not create. outside is a folder with
// a file "kept" in it, both owned by the daemon's user.
type plant func(t *testing.T, path, outside string)

func link(to string) plant {
	return func(t *testing.T, path, outside string) {
		if err := os.Symlink(filepath.Join(outside, to), path); err != nil {
			t.Fatal(err)
		}
		chown(t, path, otherUID)
	}
}

func folder(uid uint32, mode os.FileMode) plant {
	return func(t *testing.T, path, _ string) {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		chown(t, path, uid)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func file(uid uint32) plant {
	return func(t *testing.T, path, _ string) {
		if err := os.WriteFile(path, []byte("planted"), 0o666); err != nil {
			t.Fatal(err)
		}
		chown(t, path, uid)
	}
}

func node(mode uint32) plant {
	return func(t *testing.T, path, _ string) {
		if err := syscall.Mknod(path, mode|0o666, 0x103); err != nil { // /dev/null's number
			t.Skip(err)
		}
		chown(t, path, otherUID)
	}
}

func hardLink(t *testing.T, path, outside string) {
	if err := os.Link(filepath.Join(outside, "kept"), path); err != nil {
		t.Fatal(err)
	}
}

// foreignSocket is one that somebody else listens on.
func foreignSocket(t *testing.T, path, _ string) {
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	chown(t, path, otherUID)
}

// Whatever is planted in place of the daemon's socket, folders and files, by root or by a
// user: the daemon says what is in the way, and creates, changes or removes nothing outside
// through it.
func TestDoors_PlantedFilesAreRefused(t *testing.T) {
	needRoot(t)
	t.Parallel()
	pipe, device := node(syscall.S_IFIFO), node(syscall.S_IFCHR)
	for _, tt := range []struct {
		name string
		at   string // below the process's folder
		what plant
		says string // empty: it starts, and the thing is gone
	}{
		{"SocketALink", "run/s", link("kept"), "a symbolic link is there already"},
		{"SocketALinkToNothing", "run/s", link("new"), "a symbolic link is there already"},
		{"SocketAFile", "run/s", file(otherUID), "a file is there already"},
		{"SocketAFolder", "run/s", folder(otherUID, 0o777), "a folder is there already"},
		{"SocketAPipe", "run/s", pipe, "something that is not a socket is there already"},
		{"SocketADevice", "run/s", device, "something that is not a socket is there already"},
		{"SocketAnothers", "run/s", foreignSocket, "in use"},

		{"RunALink", "run", link("."), "run is a symbolic link"},
		{"RunALinkToNothing", "run", link("new"), "run is a symbolic link"},
		{"RunAFile", "run", file(otherUID), "is not a folder"},
		{"RunAnothers", "run", folder(otherUID, 0o755), "belongs to uid 60666"},
		{"RunOpenToAll", "run", folder(daemonUID, 0o777), "can be written by everybody"},

		{"DatabaseALink", "state/providerd.db", link("kept"), "is a symbolic link"},
		{"DatabaseALinkToNothing", "state/providerd.db", link("new"), "is a symbolic link"},
		{"DatabaseAHardLink", "state/providerd.db", hardLink, "hard link"},
		{"DatabaseAFolder", "state/providerd.db", folder(otherUID, 0o777), "is not a plain file"},
		{"DatabaseAPipe", "state/providerd.db", pipe, "is not a plain file"},
		{"DatabaseADevice", "state/providerd.db", device, "is not a plain file"},
		{"DatabaseAnothers", "state/providerd.db", file(otherUID), "belongs to uid 60666"},

		{"OwnerALink", "state/providerd.db.owner", link("kept"), "is a symbolic link"},
		{"OwnerALinkToNothing", "state/providerd.db.owner", link("new"), "is a symbolic link"},
		{"OwnerAHardLink", "state/providerd.db.owner", hardLink, "hard link"},
		{"OwnerAFolder", "state/providerd.db.owner", folder(otherUID, 0o777), "is not a plain file"},
		{"OwnerAPipe", "state/providerd.db.owner", pipe, "is not a plain file"},
		{"OwnerADevice", "state/providerd.db.owner", device, "is not a plain file"},
		{"OwnerAnothers", "state/providerd.db.owner", file(otherUID), "belongs to uid 60666"},

		{"NewALink", "state/providerd.db.new", link("kept"), ""},
		{"NewALinkToNothing", "state/providerd.db.new", link("new"), ""},
		{"NewAHardLink", "state/providerd.db.new", hardLink, ""},
		{"NewAPipe", "state/providerd.db.new", pipe, ""},

		{"StateALink", "state", link("."), "belongs to uid 60666"},
		{"StateALinkToNothing", "state", link("new"), "belongs to uid 60666"},
		{"StateAFile", "state", file(0), "is a file, not a folder"},
		{"StateAnothers", "state", folder(otherUID, 0o755), "belongs to uid 60666"},
		{"StateOpenToAll", "state", folder(daemonUID, 0o777), "can be written by everybody"},

		{"AFolderAboveAnothers", "above", folder(otherUID, 0o755), "above belongs to uid 60666"},
		{"AFolderAboveOpenToAll", "above", folder(0, 0o777), "above can be written by everybody"},
		{"AFolderAboveALink", "above", link("."), "above belongs to uid 60666"},
	} {
		for _, owner := range []user{alone(0), alone(daemonUID)} {
			t.Run(fmt.Sprintf("%sForUID%d", tt.name, owner.uid), func(t *testing.T) {
				p := newProcessOf(t, owner, "[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n")
				outside := p.outside(owner)
				before := tree(t, outside)
				path := filepath.Join(p.dir, tt.at)
				if filepath.Dir(tt.at) == "." {
					os.Remove(path)
				}
				tt.what(t, path, outside)
				if owner.uid == 0 && strings.HasSuffix(tt.name, "OpenToAll") {
					chown(t, path, 0)
				}
				planted, err := os.Lstat(path)
				if err != nil {
					t.Fatal(err)
				}
				if tt.says == "" {
					p.start()
					if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("it is still there: %v", err)
					}
					p.kill()
				} else {
					p.mustNotStart(tt.at == "above", tt.says)
					if now, err := os.Lstat(path); err != nil || !os.SameFile(now, planted) {
						t.Errorf("what was planted is gone: %v", err)
					}
				}
				if after := tree(t, outside); after != before {
					t.Errorf("outside there was\n%s\nand is\n%s", before, after)
				}
			})
		}
	}
}

// mustNotStart runs the daemon with its state, and then also its socket, below the folder
// "above" or where they are.
func (p *process) mustNotStart(above bool, says string) {
	p.t.Helper()
	runs := [][]string{nil}
	if above {
		dir := filepath.Join(p.dir, "above")
		runs = [][]string{{"--state-dir", filepath.Join(dir, "x", "state")}, {"--socket", filepath.Join(dir, "x", "run", "s")}}
	}
	for _, flags := range runs {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		usual := p.command()
		cmd := exec.CommandContext(ctx, usual.Path, append(usual.Args[1:], flags...)...)
		cmd.SysProcAttr = usual.SysProcAttr
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			p.t.Errorf("%v: it ends with %v\n%s", flags, err, out)
		}
		_, said, _ := strings.Cut(string(out), "providerd: ")
		if !strings.Contains(said, says) || !strings.Contains(said, "providerd: try: ") {
			p.t.Errorf("%v: it does not say %q, or not what to do:\n%s", flags, says, out)
		}
	}
}

// outside creates what an attacker wants the daemon to harm.
func (p *process) outside(owner user) string {
	p.t.Helper()
	dir := filepath.Join(p.dir, "outside")
	if err := os.Mkdir(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	kept := filepath.Join(dir, "kept")
	if err := os.WriteFile(kept, []byte("precious"), 0o640); err != nil {
		p.t.Fatal(err)
	}
	chown(p.t, kept, owner.uid)
	chown(p.t, dir, owner.uid)
	return dir
}

// tree is every name below dir with its mode and content.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v %d", path, info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", content)
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A system's administrator can move the state elsewhere, with a link.
func TestDoors_ALinkOfRootsIsFollowed(t *testing.T) {
	needRoot(t)
	p := newProcessOf(t, alone(daemonUID), "[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n")
	moved := filepath.Join(p.dir, "moved")
	if err := os.Rename(filepath.Join(p.dir, "state"), moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("moved", filepath.Join(p.dir, "state")); err != nil {
		t.Fatal(err)
	}
	p.start()
	if _, err := os.Stat(filepath.Join(moved, "providerd.db")); err != nil {
		t.Error(err)
	}
}

// In a folder like /tmp, somebody swaps the folder above the daemon's state and socket for
// a link as fast as possible, while the daemon starts 200 times as root.
func TestDoors_ARaceIsNotWon(t *testing.T) {
	needRoot(t)
	p := newProcessOf(t, alone(0), "[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = \"http://127.0.0.1:1\"\n")
	outside := p.outside(alone(0))
	before := tree(t, outside)
	shared := filepath.Join(p.dir, "shared")
	folder(0, 0o777|os.ModeSticky)(t, shared, "")
	end := begin(t, alone(otherUID), "swap", swapping{filepath.Join(shared, "x"), outside})
	defer end()
	for i := range 200 {
		args := []string{"--config", p.config, "--socket", filepath.Join(p.dir, "run", "s"), "--state-dir", filepath.Join(p.dir, "state")}
		if i%2 == 0 {
			args[5] = filepath.Join(shared, "x", "state")
		} else {
			args[3] = filepath.Join(shared, "x", "s")
		}
		started, out, err := p.startedOrEnded(exec.Command(program("providerd"), args...))
		// When the name is free for a moment, the daemon creates the folder and keeps it:
		// nobody else can remove it there. The race is over, and begins again.
		if started {
			if info, err := os.Lstat(filepath.Join(shared, "x")); err != nil || !info.IsDir() || info.Sys().(*syscall.Stat_t).Uid != 0 {
				t.Fatalf("it started in what is not its own: %v %v\n%s", info, err, out)
			}
		} else if err == nil {
			t.Fatalf("it ended well\n%s", out)
		}
		if info, err := os.Lstat(filepath.Join(shared, "x")); err == nil && info.Sys().(*syscall.Stat_t).Uid == 0 {
			os.RemoveAll(filepath.Join(shared, "x"))
		}
		if after := tree(t, outside); after != before {
			t.Fatalf("start %d: outside there was\n%s\nand is\n%s", i, before, after)
		}
	}
}

// startedOrEnded runs a daemon until it reports that it has started, and then kills it, or
// until it ends by itself.
func (p *process) startedOrEnded(cmd *exec.Cmd) (started bool, out string, err error) {
	p.t.Helper()
	log, ended := &lockedBuffer{}, make(chan error, 1)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { ended <- cmd.Wait() }()
	for deadline := time.After(time.Minute); ; {
		if strings.Contains(log.String(), `"@message":"started"`) {
			_ = cmd.Process.Kill()
			return true, log.String(), <-ended
		}
		select {
		case err := <-ended:
			return strings.Contains(log.String(), `"@message":"started"`), log.String(), err
		case <-deadline:
			_ = cmd.Process.Kill()
			<-ended
			p.t.Fatalf("it neither starts nor ends\n%s", log)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// A swapping swaps a folder for a symbolic link and back, for as long as it runs.
type swapping struct{ Path, Target string }

func playSwap() {
	task := taskOf[swapping]()
	underWay()
	for {
		syscall.Mkdir(task.Path, 0o777)
		os.RemoveAll(task.Path)
		os.Symlink(task.Target, task.Path)
		os.Remove(task.Path)
	}
}
