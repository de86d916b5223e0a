package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/net/netutil"

	"github.com/providerd/providerd/daemon/framing"
	"github.com/providerd/providerd/daemon/scarce"
)

// partingTime is how long scrapes in progress may take to end.
const partingTime = 500 * time.Millisecond

// maxConns is how many connections may be open: a few scrapers, not a crowd.
const maxConns = 16

// Listen opens the port. It refuses an address that other machines can reach. A shortage of
// files does not stop the listener; it is noted in shortage, which may be nil.
func Listen(address string, shortage *scarce.Shortage) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("listen for scrapes: %s is not a loopback address", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for scrapes (metrics_listen): %w", err)
	}
	return netutil.LimitListener(scarce.Wrap(l, "accepting a scraper", nil, shortage, nil), maxConns), nil
}

// Serve answers GET /metrics, and nothing else, on l until ctx ends. It closes l, and
// returns once every connection is closed.
func (m *Metrics) Serve(ctx context.Context, l net.Listener, log hclog.Logger) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(m.answer),
		MaxHeaderBytes:    20 << 10, // daemon/framing allows less
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       2 * time.Minute,

		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	l = framing.Guard(server, l, func(bad *framing.Refusal) (string, []byte) {
		return "text/plain; charset=utf-8", []byte(bad.Reason.Message + ": " + bad.Reason.Hint + "\n")
	})
	closed := make(chan struct{})
	ended, end := context.WithCancel(ctx)
	go func() {
		defer close(closed)
		<-ended.Done()
		brief, done := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
		defer done()
		if server.Shutdown(brief) != nil {
			server.Close()
		}
	}()
	err := server.Serve(l)
	end()
	<-closed
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve scrapes: %w", err)
	}
	return nil
}

// answer refuses requests that a web page made a browser send. The port has no password,
// and is open to every user of the machine.
func (m *Metrics) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header["Origin"] != nil || r.Header["Referer"] != nil || !localName(r.Host):
		http.Error(w, "requests from web pages are refused: use http://127.0.0.1, without Origin and Referer headers", http.StatusForbidden)
		return
	case r.URL.Path != "/metrics":
		http.Error(w, "only /metrics is served here", http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	scrape, err := m.Scrape()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if _, err := scrape.WriteTo(w); err != nil {
		panic(http.ErrAbortHandler) // so that nobody takes a part for the whole
	}
}

// localName reports whether a Host header is a name of this machine that no resolver can
// change. A web page whose name was rebound to this machine sends its own name.
func localName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if ip, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(name, "localhost")
}
