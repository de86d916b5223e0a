package scarce_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/daemon/scarce"
)

// However few files there are, clients have a share; and where there are too few for
// the providers, that is said.
func TestDeal(t *testing.T) {
	for _, tt := range []struct {
		limit   uint64
		conns   int
		atOnce  int
		kept    int
		problem string // with 60 providers
	}{
		{1 << 30, 4096, 512, 522_232, ""},
		{16_384, 4096, 512, 6136, ""},
		{1024, 64, 118, 472, ""},
		{256, 64, 22, 88, ""},
		{64, 16, 4, 16, "the limit of 64 open files allows only 8 probes at a time for 60 providers"},
		{24, 6, 1, 1, "the limit of 24 open files allows only 2 probes at a time for 60 providers"},
		{8, 2, 1, 1, "the limit of 8 open files allows only 2 probes at a time"},
		{0, 0, 1, 1, "the limit of 0 open files"},
	} {
		s := scarce.Deal(tt.limit)
		if s.Conns != tt.conns || s.AtOnce != tt.atOnce || s.Kept != tt.kept {
			t.Errorf("of %d files: %+v, want %d, %d, %d", tt.limit, s, tt.conns, tt.atOnce, tt.kept)
		}
		if got := s.Problem(60); !strings.HasPrefix(got, tt.problem) || (got == "") != (tt.problem == "") {
			t.Errorf("%d files for 60 providers: %q, want %q", tt.limit, got, tt.problem)
		}
	}
	if got := scarce.Deal(24).Problem(1); got != "" {
		t.Errorf("24 files are enough for one provider, and it says %q", got)
	}
}

// A shortage is told for a while after it was met last, with what to do about it.
func TestShortage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s scarce.Shortage
		if got := s.Problem(); got != "" {
			t.Errorf("nothing ran out, and it says %q", got)
		}
		for err, cure := range map[error]string{
			syscall.EMFILE:                          "LimitNOFILE=",
			os.NewSyscallError("x", syscall.ENFILE): "fs.file-max",
			syscall.EAGAIN:                          "TasksMax=",
			syscall.ENOMEM:                          "out of memory",
		} {
			s.Met("a probe of a", fmt.Errorf("dial: %w", err))
			time.Sleep(20 * time.Second)
			if got := s.Problem(); !strings.HasPrefix(got, "a probe of a: dial: ") || !strings.Contains(got, cure) {
				t.Errorf("%v: %q", err, got)
			}
			time.Sleep(20 * time.Second)
			if got := s.Problem(); got != "" {
				t.Errorf("long after: %q", got)
			}
		}
	})
}

func TestIs(t *testing.T) {
	for err, want := range map[error]bool{
		nil: false, syscall.ECONNREFUSED: false, errors.New("too many"): false,
		&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}: true,
		os.NewSyscallError("accept4", syscall.ENFILE):                               true,
		syscall.ENOBUFS: true, syscall.ENOMEM: true,
	} {
		if got := scarce.Is(err); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
	if !scarce.IsTold("lookup a on 127.0.0.53:53: dial udp: socket: " + syscall.EMFILE.Error()) {
		t.Error("a text that says so does not count")
	}
}

// A brittle listener says no a few times before each connection.
type brittle struct {
	net.Listener
	says []error
	left int
}

func (b *brittle) Accept() (net.Conn, error) {
	if b.left > 0 {
		b.left--
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", b.says[b.left%len(b.says)])}
	}
	here, there := net.Pipe()
	there.Close()
	return here, nil
}

func (b *brittle) Close() error { return nil }

// No error of a connection ends a listener, nor makes it spin.
func TestListener_GoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &brittle{left: 12, says: []error{
			syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM, syscall.EPROTO,
		}}
		var shortage scarce.Shortage
		l := scarce.Wrap(b, "accepting a client", nil, &shortage, nil)
		began := time.Now()
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		nc.Close()
		if took := time.Since(began); took < time.Second || took > 20*time.Second {
			t.Errorf("twelve refusals took %s", took)
		}
		if got := shortage.Problem(); !strings.Contains(got, "accepting a client") {
			t.Errorf("the shortage is not told: %q", got)
		}
		b.left = 1 << 30
		time.AfterFunc(10*time.Second, func() { l.Close() })
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// A listener that is no more is an error.
func TestListener_Ends(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	wrapped := scarce.Wrap(l, "accepting", nil, nil, nil)
	wrapped.Close()
	if _, err := wrapped.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
