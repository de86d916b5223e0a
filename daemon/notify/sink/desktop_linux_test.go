package sink

import (
	"bufio"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// sessionBus starts a message bus, and returns its address.
func sessionBus(t *testing.T) string {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("there is no dbus-daemon here (Debian's package dbus-daemon)")
	}
	if _, err := user.LookupId(strconv.Itoa(os.Geteuid())); err != nil { // as in many containers
		t.Skipf("dbus-daemon turns away a user without a name: %v", err)
	}
	dir, err := os.MkdirTemp("", "bus") // t.TempDir is too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "bus.conf")
	text := `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=` + filepath.Join(dir, "bus") + `</listen><policy context="default">
<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy></busconfig>`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "--config-file="+file, "--nofork", "--nopidfile", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// A shown notification is what a desktop was asked to show.
type shown struct {
	Replaces             uint32
	Icon, Title, Body    string
	Urgency              byte
	Expires              int32
	Number               uint32
	Application, Desktop string
}

// A screen is the part of a desktop that shows notifications.
type screen struct {
	got  []shown
	last uint32
}

// Notify is the method of the specification.
func (s *screen) Notify(app string, replaces uint32, icon, title, body string, _ []string, hints map[string]dbus.Variant, expires int32) (uint32, *dbus.Error) {
	number := replaces
	if number == 0 {
		s.last++
		number = s.last
	}
	urgency, _ := hints["urgency"].Value().(byte)
	entry, _ := hints["desktop-entry"].Value().(string)
	s.got = append(s.got, shown{replaces, icon, title, body, urgency, expires, number, app, entry})
	return number, nil
}

// login connects a screen to the bus until the test ends or logout is called.
func login(t *testing.T, address string, s *screen) (logout func()) {
	t.Helper()
	c, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Export(s, notifyPath, notifyName); err != nil {
		t.Fatal(err)
	}
	if reply, err := c.RequestName(notifyName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	return func() { _ = c.Close() }
}

func onBus(t *testing.T, address string) Sink {
	o := options()
	o.Env.Getenv = func(name string) string {
		return map[string]string{"DBUS_SESSION_BUS_ADDRESS": address}[name]
	}
	return make1(t, config.Notify{Kind: "desktop"}, o)
}

// The end of trouble replaces its beginning on the screen; other providers' stay.
func TestDesktop(t *testing.T) {
	address := sessionBus(t)
	screen := &screen{}
	login(t, address, screen)
	s := onBus(t, address)
	closed := over(opened("ollama", provider.StateRunning, provider.OK, "", ""), provider.NoticeClosed)
	for _, n := range []*provider.Notice{
		ollamaDown(),
		opened("openai", provider.StateError, provider.Unauthorized, "<b>invalid</b> & old key", ""),
		closed,
		ollamaDown(),
		{Type: provider.NoticeTest, Host: "gpu1"},
	} {
		if err := deliver(t, s, n); err != nil {
			t.Fatal(err)
		}
	}
	down := shown{0, "dialog-warning", "ollama is down", "connection refused (start it: ollama serve)", 1, -1, 1, "providerd", "providerd"}
	again := down
	again.Number = 3
	want := []shown{
		down,
		{0, "dialog-error", "openai needs attention", "&lt;b&gt;invalid&lt;/b&gt; &amp; old key", 2, 0, 2, "providerd", "providerd"},
		{1, "dialog-information", "ollama is usable again after 7m", "", 0, -1, 1, "providerd", "providerd"},
		again,
		{0, "dialog-information", "providerd test message", "it arrived, from gpu1", 0, -1, 4, "providerd", "providerd"},
	}
	if diff := cmp.Diff(want, screen.got); diff != "" {
		t.Error(diff)
	}
}

// Without a desktop the message is tried again; a new one does not know the numbers of the last.
func TestDesktop_AnotherSession(t *testing.T) {
	address := sessionBus(t)
	s := onBus(t, address)
	if err := deliver(t, s, ollamaDown()); err == nil || isRefused(err) || !strings.Contains(err.Error(), "nothing shows notifications") {
		t.Fatal(err)
	}
	first, second := &screen{}, &screen{last: 40}
	logout := login(t, address, first)
	if err := deliver(t, s, ollamaDown()); err != nil {
		t.Fatal(err)
	}
	logout()
	login(t, address, second)
	if err := deliver(t, s, over(ollamaDown(), provider.NoticeMerged)); err != nil {
		t.Fatal(err)
	}
	if len(first.got) != 1 || len(second.got) != 1 || second.got[0].Replaces != 0 {
		t.Errorf("%+v %+v", first.got, second.got)
	}
	if err := deliver(t, onBus(t, "unix:path=/nonexistent/bus"), ollamaDown()); err == nil || isRefused(err) {
		t.Error(err)
	}
}
