package listener_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/daemon/listener"
)

// The kernel's own choice is reported: the most specific bind, and a wildcard of IPv6 for IPv4 if
// it serves that too.
func TestAt_IsWhomAConnectionReaches(t *testing.T) {
	for _, tt := range []struct {
		bind string
		asks map[string]bool // address to whether somebody listens there
	}{
		{"127.0.0.1", map[string]bool{"127.0.0.1": true, "::ffff:127.0.0.1": true, "127.0.0.2": false, "::1": false}},
		{"::1", map[string]bool{"::1": true, "127.0.0.1": false}},
		{"0.0.0.0", map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": false}},
		{"::", map[string]bool{"127.0.0.1": true, "::1": true}},
	} {
		network := "tcp"
		if tt.bind == "0.0.0.0" {
			network = "tcp4" // or Go serves IPv6 too
		}
		l := listen(t, network, tt.bind, 0)
		ours := inodeOf(t, l)
		// Another program on this machine may use that port at another address.
		isNotOurs := func(s listener.Socket, err error) bool {
			return errors.Is(err, listener.ErrNone) || err == nil && s.Inode != ours
		}
		for to, want := range tt.asks {
			s, err := listener.At(netip.AddrPortFrom(netip.MustParseAddr(to), portOf(l)))
			switch {
			case want && (err != nil || s.Inode != ours || s.UID != uint32(os.Geteuid())):
				t.Errorf("bound to %s, asked for %s: %+v %v, want inode %d", tt.bind, to, s, err, ours)
			case !want && !isNotOurs(s, err):
				t.Errorf("bound to %s, asked for %s: %+v %v, want nobody, or another", tt.bind, to, s, err)
			}
		}
		l.Close()
		if s, err := listener.At(netip.AddrPortFrom(netip.MustParseAddr(tt.bind), portOf(l))); !isNotOurs(s, err) {
			t.Errorf("after it closed: %+v %v", s, err)
		}
	}
}

// Two servers can share a port, each with its own address.
func TestAt_TellsNeighboursApart(t *testing.T) {
	one := listen(t, "tcp", "127.0.0.1", 0)
	other := listen(t, "tcp", "127.0.0.2", portOf(one))
	for _, l := range []net.Listener{one, other} {
		if s, err := listener.At(l.Addr().(*net.TCPAddr).AddrPort()); err != nil || s.Inode != inodeOf(t, l) {
			t.Errorf("%s: %+v %v, want inode %d", l.Addr(), s, err, inodeOf(t, l))
		}
	}
}

// An established connection is not the listener, even on the same port.
func TestAt_OnlyListeners(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1", 0)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s, err := listener.At(c.LocalAddr().(*net.TCPAddr).AddrPort()); !errors.Is(err, listener.ErrNone) {
		t.Errorf("the client's end: %+v %v", s, err)
	}
}

// The kernel reports uid 0 and inode 0 for a socket that no process holds.
func TestReadReply_OwnerlessIsNotRoot(t *testing.T) {
	message := func(kind uint16, state byte, uid, inode uint32) []byte {
		b := make([]byte, unix.NLMSG_HDRLEN+72)
		binary.NativeEndian.PutUint16(b[4:], kind)
		b[unix.NLMSG_HDRLEN+1] = state
		binary.NativeEndian.PutUint32(b[unix.NLMSG_HDRLEN+64:], uid)
		binary.NativeEndian.PutUint32(b[unix.NLMSG_HDRLEN+68:], inode)
		return b
	}
	failure := func(errno syscall.Errno) []byte {
		b := message(unix.NLMSG_ERROR, 0, 0, 0)
		binary.NativeEndian.PutUint32(b[unix.NLMSG_HDRLEN:], uint32(-int32(errno)))
		return b
	}
	const diag, listening, established = unix.SOCK_DIAG_BY_FAMILY, 10, 1
	for _, tt := range []struct {
		name   string
		answer []byte
		want   error
	}{
		{"a socket of root", message(diag, listening, 0, 7), nil},
		{"a socket of nobody's", message(diag, listening, 0, 0), listener.ErrOwnerless},
		{"a connection", message(diag, established, 0, 7), listener.ErrNone},
		{"no such socket", failure(syscall.ENOENT), listener.ErrNone},
		{"not allowed", failure(syscall.EPERM), syscall.EPERM},
	} {
		if _, err := listener.ReadReply(tt.answer); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for n := range unix.NLMSG_HDRLEN + 72 {
		if s, err := listener.ReadReply(message(diag, listening, 0, 7)[:n]); err == nil {
			t.Errorf("the first %d bytes: %+v", n, s)
		}
	}
}

// A second address of an interface belongs to this machine too. Package cmd tests that, where
// there is one.
func TestIsHere(t *testing.T) {
	for _, tt := range []struct {
		address string
		want    bool
	}{
		{"127.0.0.1", true}, {"127.9.9.9", true}, {"::1", true}, {"::ffff:127.0.0.1", true},
		{"192.0.2.1", false}, {"2001:db8::1", false},
	} {
		if here, err := listener.IsHere(netip.MustParseAddr(tt.address)); err != nil || here != tt.want {
			t.Errorf("%s: %t %v, want %t", tt.address, here, err, tt.want)
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		address := a.(*net.IPNet).IP
		if here, err := listener.IsHere(netip.MustParseAddr(address.String())); err != nil || !here {
			t.Errorf("%s, an interface's: %t %v", address, here, err)
		}
	}
}

func TestProcesses_FindWhoHoldsASocket(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1", 0)
	var ps listener.Processes
	if p := ps.Holding(inodeOf(t, l)); p.PID != os.Getpid() || !p.Exists() {
		t.Errorf("found %+v, want this process, %d", p, os.Getpid())
	}
	if p := ps.Holding(1); p != (listener.Process{}) || p.Exists() {
		t.Errorf("a socket that is not there is held by %+v", p)
	}
}

// The list of processes is dropped when it is too old to be used again, and not before.
func TestProcesses_ForgetWhatIsOld(t *testing.T) {
	inode := inodeOf(t, listen(t, "tcp", "127.0.0.1", 0))
	synctest.Test(t, func(t *testing.T) {
		var ps listener.Processes
		for range 2 {
			ps.Holding(inode)
			time.Sleep(4 * time.Second)
			if p := ps.Holding(inode); p.PID != os.Getpid() || ps.Remembered() == 0 {
				t.Errorf("after 4 s: found %+v among %d sockets", p, ps.Remembered())
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n := ps.Remembered(); n != 0 {
				t.Errorf("after 6 s, %d sockets are remembered", n)
			}
		}
	})
}

// A process no longer exists when it has ended, waited for or not.
func TestProcess_EndsWithTheServer(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1", 0)
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cat") // holds the socket until its input ends
	cmd.ExtraFiles = []*os.File{file}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inode := inodeOf(t, l)
	file.Close()
	l.Close()
	var ps listener.Processes
	p := ps.Holding(inode)
	if p.PID != cmd.Process.Pid || !p.Exists() || !p.MayExist() {
		t.Errorf("found %+v, want %d", p, cmd.Process.Pid)
	}
	in.Close()
	// Not waited for yet, so that it becomes a zombie.
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if p.Exists() {
		t.Error("it exists as a zombie")
	}
	_ = cmd.Wait()
	if p.Exists() || p.MayExist() {
		t.Error("it exists after its end")
	}
}

func TestBehind_IsWhoListensOnTheUnixSocket(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	uid, p, err := listener.Behind(c.(*net.UnixConn))
	if err != nil || uid != uint32(os.Geteuid()) || p.PID != os.Getpid() || !p.Exists() {
		t.Errorf("uid %d, %+v, %v", uid, p, err)
	}
}

func listen(t *testing.T, network, host string, port uint16) net.Listener {
	t.Helper()
	l, err := net.ListenTCP(network, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func portOf(l net.Listener) uint16 { return l.Addr().(*net.TCPAddr).AddrPort().Port() }

// inodeOf is the inode by fstat, which is independent of the tested code.
func inodeOf(t *testing.T, l net.Listener) uint64 {
	t.Helper()
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := raw.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &stat) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return stat.Ino
}
