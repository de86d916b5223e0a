package portwatch_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/daemon/portwatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds a test that would wait for ever.
const patience = time.Minute

// A watched is a Watch that runs, and what it reported.
type watched struct {
	*portwatch.Watch
	t      *testing.T
	beacon uint16 // whose reports do not count: begin closes it until one comes, and more can follow
	closed chan uint16
	missed chan struct{}
	held   sync.Mutex // held while the Watch is to read nothing
	log    chan string
}

func watch(t *testing.T, ports ...uint16) *watched {
	w := &watched{t: t, closed: make(chan uint16, 1<<16), missed: make(chan struct{}, 1<<10), log: make(chan string, 100)}
	w.Watch = portwatch.New(portwatch.Options{
		Log: hclog.New(&hclog.LoggerOptions{Output: w, Level: hclog.Info}),
		Closed: func(ports []uint16) {
			w.held.Lock()
			defer w.held.Unlock()
			for _, p := range ports {
				w.closed <- p
			}
		},
		Missed: func() { w.missed <- struct{}{} },
	})
	w.beacon = freePort()
	w.Follow(append([]uint16{w.beacon}, ports...))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	w.begin()
	return w
}

// Write takes in a line of the log.
func (w *watched) Write(line []byte) (int, error) {
	w.log <- string(bytes.TrimSpace(line))
	return len(line), nil
}

// begin returns when closes are reported.
func (w *watched) begin() {
	w.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		churn(w.t, w.beacon, 1)
		select {
		case <-w.closed:
			return
		case line := <-w.log:
			w.t.Skip("this system does not tell: " + line)
		case <-time.After(10 * time.Millisecond):
		}
	}
	w.t.Fatal("nothing is reported")
}

// wants waits for a report about the port, and fails if it is about another.
func (w *watched) wants(port uint16) {
	w.t.Helper()
	select {
	case got := <-w.closed:
		switch got {
		case port:
		case w.beacon:
			w.wants(port)
		default:
			w.t.Errorf("port %d was reported, want %d", got, port)
		}
	case <-time.After(patience):
		w.t.Fatalf("port %d was closed, and nothing was reported", port)
	}
}

func listen(t *testing.T, network, address string) (net.Listener, uint16) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, uint16(l.Addr().(*net.TCPAddr).Port)
}

// churn closes n sockets that were bound to a port, at an address that no test listens at.
func churn(t *testing.T, port uint16, n int) {
	t.Helper()
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 9, 9, 9}}); err != nil {
			t.Fatal(err)
		}
		if err := unix.Listen(fd, 1); err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
}

// freePort is a port that nobody uses: below those that the kernel gives out. It was not
// listened at to find it, because the kernel would report that end at any time from now on.
func freePort() uint16 {
	return uint16(10_000 + (uint64(os.Getpid())*97+freePorts.Add(1))%9_000)
}

var freePorts atomic.Uint64

func TestWatch_ListenerThatIsClosed(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0", "0.0.0.0:0"} {
		t.Run(address, func(t *testing.T) {
			l, port := listen(t, "tcp", address)
			other, _ := listen(t, "tcp", address)
			w := watch(t, freePort(), port)
			other.Close()
			l.Close()
			w.wants(port)
		})
	}
}

// A reload may follow other ports, and the ones that stay are followed meanwhile.
func TestWatch_OtherPorts(t *testing.T) {
	staying, first, second := freePort(), freePort(), freePort()
	w := watch(t, staying, first)
	w.Follow([]uint16{second, staying})
	churn(t, first, 3)
	churn(t, second, 1)
	w.wants(second)
	churn(t, staying, 1)
	w.wants(staying)
	w.Follow(nil)
	churn(t, staying, 3)
	w.Follow([]uint16{first})
	churn(t, first, 1)
	w.wants(first)
}

// However many ports there are, each of them is followed.
func TestWatch_ManyPorts(t *testing.T) {
	var ports []uint16
	for port := uint16(20001); port < 32000; port += 7 {
		ports = append(ports, port)
	}
	w := watch(t, ports...)
	for _, i := range []int{0, 1, 500, len(ports) - 1} {
		churn(t, ports[i], 1)
		w.wants(ports[i])
	}
	w.Follow(ports[:1000]) // a second program finds room beside the first
	churn(t, ports[999], 1)
	w.wants(ports[999])
}

// A port between two of ours makes no message, where the kernel has room for so large a
// filter.
func TestWatch_PortsBetween(t *testing.T) {
	if b, err := os.ReadFile("/proc/sys/net/core/optmem_max"); err != nil || len(b) < len("100000\n") {
		t.Skipf("the kernel has little room for filters: %s", b)
	}
	var ports []uint16
	for port := uint16(20001); port < 22401; port += 2 {
		ports = append(ports, port)
	}
	w := watch(t, ports...)
	for _, port := range ports[:1000] {
		churn(t, port+1, 2)
	}
	churn(t, ports[1], 1)
	w.wants(ports[1])
	w.Follow(ports) // beside the one before
	churn(t, ports[0]+1, 2)
	churn(t, ports[0], 1)
	w.wants(ports[0])
}

// Short connections to and from the ports make no message, so none about a listener is lost.
func TestWatch_LosesNothingBesideShortConnections(t *testing.T) {
	l, port := listen(t, "tcp4", "127.0.0.1:0")
	w := watch(t, port)
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	began, count := time.Now(), make([]int, 4)
	clients.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	})
	for i := range count {
		clients.Go(func() {
			for ; ctx.Err() == nil; count[i]++ {
				if c, err := net.Dial("tcp4", l.Addr().String()); err == nil {
					c.(*net.TCPConn).SetLinger(0) // or else the ports of this machine run out
					c.Close()
				}
			}
		})
	}
	for range 300 {
		churn(t, port, 1)
		w.wants(port)
	}
	for len(w.closed) > 0 {
		if got := <-w.closed; got != w.beacon {
			t.Errorf("port %d was reported once too often", got)
		}
	}
	cancel()
	l.Close() // connections that nobody accepted may be reported with it
	clients.Wait()
	w.wants(port)
	total := 0
	for _, n := range count {
		total += n
	}
	t.Logf("%.0f connections a second", float64(total)/time.Since(began).Seconds())
	if n := len(w.missed); n > 0 {
		t.Errorf("messages were lost %d times", n)
	}
}

// Messages for which there is no room are lost, and that is said.
func TestWatch_SaysThatMessagesWereLost(t *testing.T) {
	port := freePort()
	w := watch(t, port)
	w.held.Lock()
	churn(t, port, 20_000) // the kernel reports them a little later
	w.held.Unlock()
	select {
	case <-w.missed:
	case <-time.After(patience):
		t.Error("messages were lost without a word")
	}
}

// Whoever closes sockets at our ports without an end costs us little: the watch is
// switched off, until the next reload.
func TestWatch_TooManyMessages(t *testing.T) {
	port := freePort()
	w := watch(t, port)
	for off := false; !off; {
		churn(t, port, 100)
		select {
		case line := <-w.log:
			if want := "closed ports are not noticed at once until the next reload"; !bytes.Contains([]byte(line), []byte(want)) {
				t.Errorf("log: %s, want %q", line, want)
			}
			off = true
		default:
		}
		for len(w.closed) > 0 {
			<-w.closed
		}
	}
	<-w.missed
	for len(w.closed) > 0 {
		<-w.closed
	}
	churn(t, port, 10)
	w.Follow([]uint16{w.beacon, port})
	w.begin()
	if len(w.log) > 0 {
		t.Error(fmt.Sprint("log: ", <-w.log))
	}
}
