package page_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/ctl/dashboard/page"
)

// Views of a daemon that accepts connections and never answers all end after the patience of one,
// and do not wait for one another.
func TestViews_OfAHungDaemonDoNotQueue(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const long = time.Hour
	h := page.New(page.Options{Client: &client.Client{Socket: socket, DialPatience: -1, Timeout: long}, Base: base, Nonce: "n0nce", Host: "desk", Version: "9.9", Patience: 100 * time.Millisecond})
	var all sync.WaitGroup
	for range 20 {
		for _, path := range []string{"", "models", "daemon", "providers/a"} {
			all.Go(func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", base+path, nil))
				if w.Code != http.StatusGatewayTimeout {
					t.Errorf("%q: %d", path, w.Code)
				}
			})
		}
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("views still wait")
	}
}
