package probe_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// certified is a TLS configuration with a certificate that nobody trusts.
func certified(t *testing.T) *tls.Config {
	t.Helper()
	ts := httptest.NewUnstartedServer(nil)
	ts.StartTLS()
	defer ts.Close()
	return ts.TLS.Clone()
}

// tlsOrNothing speaks TLS, and hangs up on everything else.
func tlsOrNothing(t *testing.T, reset bool) (address string) {
	config := certified(t)
	return talk(t, false, func(c net.Conn) {
		in := bufio.NewReader(c)
		if b, err := in.Peek(1); err == nil && b[0] == 0x16 {
			_ = tls.Server(preread{c, in}, config).Handshake()
			return
		}
		if _, err := http.ReadRequest(in); err == nil && reset {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
	})
}

// preread is a connection of which something was read already.
type preread struct {
	net.Conn
	in *bufio.Reader
}

func (p preread) Read(b []byte) (int, error) { return p.in.Read(b) }

// TestProbe_LooksForTLS: to find out, one ClientHello is sent, and only if plain HTTP over
// a new connection ended without a word.
func TestProbe_LooksForTLS(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind   string
		answer string
		want   provider.Reason
		hellos int32
	}{
		"a local kind":   {"ollama", "", provider.ConnectionReset, 1},
		"any other kind": {"http", "", provider.ConnectionReset, 0},
		"half an answer": {"ollama", "HTTP/1.1 200 OK\r\n", provider.ConnectionReset, 0},
		"an answer":      {"ollama", fine, provider.OK, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hellos atomic.Int32
			more := make(chan int64, 2) // bytes after a ClientHello
			address := talk(t, false, func(c net.Conn) {
				in := bufio.NewReader(c)
				b, err := in.Peek(5)
				if err != nil {
					return
				}
				if b[0] != 0x16 {
					if _, err := http.ReadRequest(in); err == nil {
						_, _ = io.WriteString(c, tt.answer)
					}
					return
				}
				hellos.Add(1)
				_, _ = in.Discard(5 + int(b[3])<<8 + int(b[4]))
				_, _ = io.WriteString(c, "-ERR\r\n")
				n, _ := io.Copy(io.Discard, in)
				more <- n
			})
			o := once(t, configured(t, tt.kind, "http://"+address, ""), probe.Options{}, probe.Ask{})
			if o.Saw != tt.want || hellos.Load() != tt.hellos {
				t.Errorf("saw %s %q after %d ClientHellos", o.Saw, o.Detail, hellos.Load())
			}
			for range hellos.Load() {
				if n := <-more; n != 0 {
					t.Errorf("sent %d bytes after the ClientHello", n)
				}
			}
			if len(o.Evidence.Dial) != 1 {
				t.Errorf("dialled %+v", o.Evidence.Dial)
			}
		})
	}
}
