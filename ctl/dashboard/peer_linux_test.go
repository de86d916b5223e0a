package dashboard_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/ctl/dashboard"
	"github.com/providerd/providerd/store/sockdiag"
)

func TestJudgePeer(t *testing.T) {
	const own, overflow = 1000, 65534
	known := func(uid uint32) bool { return uid != overflow }
	for name, tc := range map[string]struct {
		socket sockdiag.Socket
		err    error
		want   dashboard.Peer
	}{
		"Ours":             {sockdiag.Socket{UID: own, Inode: 7}, nil, dashboard.PeerOurs},
		"Root":             {sockdiag.Socket{UID: 0, Inode: 7}, nil, dashboard.PeerOurs},
		"Another":          {sockdiag.Socket{UID: 1001, Inode: 7}, nil, dashboard.PeerAnother},
		"OtherNamespace":   {sockdiag.Socket{UID: overflow, Inode: 7}, nil, dashboard.PeerAnother},
		"GoneLooksAsRoot":  {sockdiag.Socket{UID: 0, Inode: 0}, nil, dashboard.PeerUnknown},
		"GoneLooksAsOurs":  {sockdiag.Socket{UID: own, Inode: 0}, nil, dashboard.PeerUnknown},
		"OnlyAListener":    {sockdiag.Socket{UID: own, Inode: 7, Listening: true}, nil, dashboard.PeerUnknown},
		"NoSuchSocket":     {sockdiag.Socket{}, sockdiag.ErrNone, dashboard.PeerUnknown},
		"NotAllowedToAsk":  {sockdiag.Socket{UID: own, Inode: 7}, unix.EPERM, dashboard.PeerUnknown},
		"SystemNeverSays":  {sockdiag.Socket{}, sockdiag.ErrUnsupported, dashboard.PeerUntold},
		"OwnIsTheOverflow": {sockdiag.Socket{UID: overflow, Inode: 7}, nil, dashboard.PeerAnother},
	} {
		user := uint32(own)
		if name == "OwnIsTheOverflow" {
			user = overflow
		}
		if got := dashboard.JudgePeer(tc.socket, tc.err, user, known); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// A client that has closed its socket, or whose process has ended, is unknown: the kernel
// may report its socket as root's.
func TestWhoConnects_AfterTheClientHasGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if who := dashboard.WhoConnects(server); who != dashboard.PeerOurs {
		t.Errorf("while it is there: %v", who)
	}
	client.Close()
	if who := dashboard.WhoConnects(server); who != dashboard.PeerUnknown {
		t.Errorf("after it has gone: %v", who)
	}
}

// otherUID needs no entry in /etc/passwd.
const otherUID = 60_666

// dialAs connects as another user: from a thread that has become that user, and ends.
func dialAs(t *testing.T, uid int, address string) net.Conn {
	t.Helper()
	type dialed struct {
		net.Conn
		err error
	}
	result := make(chan dialed)
	go func() {
		runtime.LockOSThread() // and never unlock it: the thread ends with the goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			result <- dialed{nil, errno}
			return
		}
		c, err := net.Dial("tcp", address)
		result <- dialed{c, err}
	}()
	r := <-result
	if r.err != nil {
		t.Fatal(r.err)
	}
	r.SetDeadline(time.Now().Add(10 * time.Second))
	return r.Conn
}

// Another user of this machine gets a page that says so, whatever they know, and takes none
// of the places of the dashboard's owner.
func TestServer_AnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can become another user: run the tests as root")
		}
		t.Skip("only root can become another user")
	}
	st := play(t, http.NotFoundHandler())
	for _, raw := range []string{
		"GET BASE HTTP/1.1\n" + ours + "\n",
		"GET BASEapi/providers/status HTTP/1.1\n" + ours + "\n",
		"POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 0\n\n",
		"GET " + strings.TrimPrefix(st.server.TicketURL(), "http://"+st.authority()) + " HTTP/1.1\n" + ours + "\n",
	} {
		c := dialAs(t, otherUID, st.authority())
		resp, body := st.sendOn(c, raw)
		c.Close()
		if resp.StatusCode != 403 || !strings.Contains(body, "another user") {
			t.Errorf("%q: %s %s", raw, resp.Status, body)
		}
	}
	if st.asked.Load() != 0 || st.shown.Load() != 0 {
		t.Errorf("%d requests reached the daemon, %d the views", st.asked.Load(), st.shown.Load())
	}

	for range 2 * dashboard.MaxOurs {
		c := dialAs(t, otherUID, st.authority())
		defer c.Close()
	}
	last := dialAs(t, otherUID, st.authority())
	defer last.Close()
	if answer, err := io.ReadAll(last); len(answer) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one too many of theirs: %q %v", answer, err)
	}
	if resp, body := st.send("GET BASE HTTP/1.1\n" + ours + "\n"); resp.StatusCode != 200 {
		t.Errorf("ours beside them: %s %s", resp.Status, body)
	}
}
