package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// A hearer is a receiver of webhooks.
type hearer struct {
	*httptest.Server
	mu   sync.Mutex
	told []provider.Notice
	hang chan struct{} // answers once it is closed; nil: at once
}

func newHearer(t *testing.T, hang chan struct{}) *hearer {
	h := &hearer{hang: hang}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		var n provider.Notice
		if err != nil || json.Unmarshal(text, &n) != nil {
			t.Errorf("received %v %s", err, text)
		}
		h.mu.Lock()
		h.told = append(h.told, n)
		h.mu.Unlock()
		if h.hang != nil {
			select {
			case <-h.hang:
			case <-r.Context().Done():
			}
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// messages are what has arrived so far.
func (h *hearer) messages() []provider.Notice {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.told)
}

// about counts the providers of which one kind of news arrived.
func (h *hearer) about(kind provider.NoticeType) int {
	n := 0
	for _, m := range h.messages() {
		switch {
		case m.Type == kind:
			n++
		case kind == provider.NoticeOpened:
			n += len(m.Opened)
		case kind == provider.NoticeClosed:
			n += len(m.Closed)
		}
	}
	return n
}

func notifyAt(id, url string) string {
	return fmt.Sprintf("[[notify]]\nid = %q\nkind = \"webhook\"\nurl = %q\ngather = \"1s\"\n", id, url)
}

// A thousand providers that fail at once are at most two messages, and so is their recovery. A
// receiver that never answers delays neither another one nor a probe.
func TestNotify_Storm(t *testing.T) {
	const providers = 1000
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	release := make(chan struct{})
	phone, hung := newHearer(t, nil), newHearer(t, release)
	config := "[defaults]\ninterval = \"1h\"\nfall = 1\ntimeout = \"60s\"\nslow_after = \"60s\"\n" + notifyAt("hung", hung.URL) + notifyAt("phone", phone.URL)
	for i := range providers {
		config += fmt.Sprintf("[[provider]]\nid = \"p%d\"\nkind = \"http\"\nbase_url = %q\n", i, server.URL)
	}
	r := runDaemon(t, config, nil)
	refresh := func() {
		t.Helper()
		if status, body := r.call("POST", "/api/providers/refresh?wait=5m&force=1", nil); status != http.StatusOK {
			t.Fatalf("refresh: %d %.200s", status, body)
		}
	}
	broken.Store(true)
	refresh()
	r.until(func() bool { return phone.about(provider.NoticeOpened) == providers && len(hung.messages()) == 1 })
	if n := len(phone.messages()); n > 2 {
		t.Errorf("%d messages of the beginning", n)
	}
	refresh() // every provider is probed while a message hangs
	broken.Store(false)
	before := len(phone.messages())
	refresh()
	r.until(func() bool { return phone.about(provider.NoticeClosed) == providers })
	if n := len(phone.messages()) - before; n > 2 {
		t.Errorf("%d messages of the end", n)
	}
	if n := len(hung.messages()); n != 1 {
		t.Errorf("%d requests to a receiver that hangs", n)
	}
	close(release)
	r.until(func() bool {
		return hung.about(provider.NoticeOpened) == providers && hung.about(provider.NoticeClosed) == providers
	})
}

// A reload that fails leaves the sinks as they are. A sink whose credential cannot be read is a
// fault of that sink alone, and its messages are sent after the reload that follows.
func TestNotify_Reload(t *testing.T) {
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	phone, pager := newHearer(t, nil), newHearer(t, nil)
	providers := fmt.Sprintf("[[provider]]\nid = \"a\"\nkind = \"http\"\nbase_url = %q\ninterval = \"1h\"\nfall = 1\n", server.URL)
	token := filepath.Join(t.TempDir(), "token")
	withToken := providers + notifyAt("phone", phone.URL) + notifyAt("pager", pager.URL) + fmt.Sprintf("token_file = %q\n", token)
	r := runDaemon(t, withToken, nil)
	reload := func(text string, want int) {
		t.Helper()
		r.rewrite(text)
		if status, body := r.call("POST", "/api/daemon/reload", nil); status != want {
			t.Fatalf("reload: %d %s", status, body)
		}
	}
	change := func(to bool) {
		t.Helper()
		broken.Store(to)
		r.call("POST", "/api/providers/refresh?wait=5m&force=1", nil)
	}
	if !strings.Contains(r.log.String(), "a sink cannot be used") {
		t.Error("the log does not say that a sink cannot be used")
	}
	reload(withToken, http.StatusOK) // a reload did not cause what was there before
	reload("[[notify]]\nid = \"phone\"\n", http.StatusUnprocessableEntity)
	change(true)
	r.until(func() bool { return phone.about(provider.NoticeOpened) == 1 })
	if n := len(pager.messages()); n != 0 {
		t.Errorf("%d messages without the token", n)
	}
	if err := os.WriteFile(token, []byte("a-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	reload(withToken, http.StatusOK)
	r.until(func() bool { return pager.about(provider.NoticeOpened) == 1 })
	if n := len(phone.messages()); n != 1 {
		t.Errorf("%d messages to a sink that did not change", n)
	}
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > endWithin {
		t.Errorf("the end took %s", took)
	}
}
