package sockdiag_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/providerd/providerd/store/sockdiag"
)

func addressOf(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }

// Each end of a connection is found by its own address first. The listener is not taken for
// either of them.
func TestFind_AnEndOfAConnection(t *testing.T) {
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

	there, here := addressOf(client.LocalAddr()), addressOf(l.Addr())
	s, err := sockdiag.Find(there, here)
	if err != nil || s.Listening || s.UID != uint32(os.Geteuid()) || s.Inode == 0 {
		t.Errorf("the client's end: %+v %v", s, err)
	}
	other, err := sockdiag.Find(here, there)
	if err != nil || other.Listening || other.Inode == s.Inode {
		t.Errorf("the server's end: %+v %v, the client's is %+v", other, err, s)
	}
	if s, err := sockdiag.Find(here, netip.AddrPort{}); err != nil || !s.Listening {
		t.Errorf("the listener: %+v %v", s, err)
	}

	// A socket that a process has closed can linger. It is then nobody's, whatever its uid.
	client.Close()
	if s, err := sockdiag.Find(there, here); err == nil && s.Inode != 0 || err != nil && !errors.Is(err, sockdiag.ErrNone) {
		t.Errorf("the client's end after it was closed: %+v %v", s, err)
	}
}
