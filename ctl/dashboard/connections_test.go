package dashboard_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/dashboard"
)

// A head or a body that does not arrive ends the connection.
func TestServer_SlowSendersAreCutOff(t *testing.T) {
	st := play(t, http.NotFoundHandler(), func(o *dashboard.ServerOptions) { dashboard.SetHeadTime(o, 200*time.Millisecond) })
	for name, raw := range map[string]string{
		"Head": "GET BASE HTTP/1.1\nHost: AUTH",
		"Body": "POST BASEapi/providers/refresh HTTP/1.1\n" + ours + "X-Providerd: 1\nContent-Length: 5\n\nhe",
	} {
		t.Run(name, func(t *testing.T) {
			c := st.dial()
			defer c.Close()
			io.WriteString(c, strings.NewReplacer("BASE", st.base, "AUTHORITY", st.authority(), "\n", "\r\n").Replace(raw))
			if _, err := io.ReadAll(c); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("it is still open: %v", err)
			}
		})
	}
}

// A connection above the limit is refused at once, and a place that is free again is used.
func TestServer_ConnectionsAreLimited(t *testing.T) {
	st := play(t, nil)
	var held []net.Conn
	for range dashboard.MaxOurs {
		c := st.dial()
		defer c.Close()
		held = append(held, c)
	}
	if resp, _ := st.sendOn(held[len(held)-1], "GET BASE HTTP/1.1\n"+ours+"\n"); resp.StatusCode != 200 {
		t.Fatalf("the last that fits: %s", resp.Status)
	}
	c := st.dial()
	defer c.Close()
	if answer, _ := io.ReadAll(c); !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") {
		t.Fatalf("one too many: %q", answer)
	}
	resp, _ := st.sendOn(held[0], "GET / HTTP/1.1\n"+ours+"\n") // it is refused, and closed
	if resp.StatusCode != 404 {
		t.Fatal(resp.Status)
	}
	io.Copy(io.Discard, held[0])
	held[0].Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		c := st.dial()
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", st.base, st.authority())
		answer, _ := bufio.NewReader(c).ReadString('\n')
		c.Close()
		if strings.HasPrefix(answer, "HTTP/1.1 200 ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a place was freed: %q", answer)
		}
	}
}
