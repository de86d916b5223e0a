package fleettest

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A vendor is an OpenAI-like server on a host of its own. It counts who asks.
type vendor struct {
	url string // base_url of a provider

	mu       sync.Mutex
	requests []request
	answer   answer
	freed    chan struct{} // closed when a hang ends
}

// A request is one that the vendor was sent.
type request struct {
	at   time.Time
	from string // address of the host
	key  string // of the authorization; "": none
}

// An answer is how the vendor answers all requests.
type answer struct {
	status     int           // 0: 200
	retryAfter time.Duration // with 429
	hang       bool          // until another answer is set
}

// newVendor serves on a host of its own.
func newVendor(t testing.TB, h *host) *vendor {
	t.Helper()
	v := &vendor{url: fmt.Sprintf("http://%s:8000/v1", h.address), freed: make(chan struct{})}
	server := &http.Server{Handler: v, ReadHeaderTimeout: time.Minute}
	l := h.listen(8000)
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(l) }) // it is closed below
	t.Cleanup(func() {
		v.set(answer{})
		server.Close()
		running.Wait()
	})
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	v.mu.Lock()
	v.requests = append(v.requests, request{time.Now(), from, r.Header.Get("Authorization")})
	a, freed := v.answer, v.freed
	v.mu.Unlock()
	if a.hang {
		select {
		case <-freed:
		case <-r.Context().Done():
			return
		}
	}
	if a.status == http.StatusTooManyRequests && a.retryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(a.retryAfter/time.Second)))
	}
	w.Header().Set("Content-Type", "application/json")
	if a.status != 0 {
		w.WriteHeader(a.status)
		fmt.Fprint(w, `{"error":{"message":"the test says so"}}`)
		return
	}
	fmt.Fprint(w, `{"object":"list","data":[{"id":"test-model","object":"model"}]}`)
}

// set changes how it answers. Requests that hang are answered as they came.
func (v *vendor) set(a answer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = a
	close(v.freed)
	v.freed = make(chan struct{})
}

// since are the requests from a moment on, by address of the host.
func (v *vendor) since(moment time.Time) map[string]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	by := map[string]int{}
	for _, r := range v.requests {
		if !r.at.Before(moment) {
			by[r.from]++
		}
	}
	return by
}
