package probe_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// What is peculiar about each kind is told in testdata/scenarios. Here is what a
// scenario cannot say, because it is about time, or about what was sent.

var allAsk = probe.Ask{Facts: true}

func TestOllama_SilentFactsShareTheDeadline(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/version" {
			<-r.Context().Done()
			return
		}
		jsonPage(`{"version":"0.12.3"}`).ServeHTTP(w, r)
	})
	p := configured(t, "ollama", s.url, "")
	p.Timeout = 600 * time.Millisecond
	o := once(t, p, probe.Options{}, allAsk)
	if asked := s.asked(); o.Saw != provider.OK || !slices.Equal(asked, []string{"/api/version", "/api/tags", "/api/ps"}) {
		t.Errorf("saw %s %q after %v", o.Saw, o.Detail, asked)
	}
	if o.Latency > p.Timeout/2 || o.Took > p.Timeout+5*time.Second {
		t.Errorf("latency %s, took %s", o.Latency, o.Took)
	}
}

func TestOllama_SlowForEverythingIsNotLoading(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		select { // it is slow, and that is the subject
		case <-time.After(200 * time.Millisecond):
			jsonPage(`{"version":"0.12.3"}`).ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
	p := configured(t, "ollama", s.url, "")
	p.Timeout = 380 * time.Millisecond
	o := once(t, p, probe.Options{}, allAsk)
	if o.Facts.Note != "" || o.Facts.Models != nil {
		t.Errorf("saw %s %q, facts %+v", o.Saw, o.Detail, o.Facts)
	}
}

func TestProbe_SendsTheKeyAndItsName(t *testing.T) {
	t.Parallel()
	s := serve(t, jsonPage(`{"data":[]}`).ServeHTTP)
	once(t, configured(t, "openai", s.url, "the-key"), probe.Options{UserAgent: "providerd/test"}, probe.Ask{})
	if h := s.seen[0].Header; h.Get("Authorization") != "Bearer the-key" || h.Get("User-Agent") != "providerd/test" {
		t.Errorf("sent %v", h)
	}
	once(t, configured(t, "anthropic", s.url, "the-key"), probe.Options{}, probe.Ask{})
	if h := s.seen[1].Header; h.Get("X-Api-Key") != "the-key" || h.Get("Authorization") != "" {
		t.Errorf("sent %v", h)
	}
}

func TestProbe_UserInfoIsSentAndNotShown(t *testing.T) {
	t.Parallel()
	s := serve(t, jsonPage(`{"data":[]}`).ServeHTTP)
	p := configured(t, "openai-compatible", strings.Replace(s.url, "http://", "http://me:pass-word@", 1), "")
	p.Endpoint = s.url
	o := once(t, p, probe.Options{}, probe.Ask{})
	user, password, _ := s.seen[0].BasicAuth()
	if o.Saw != provider.OK || user != "me" || password != "pass-word" {
		t.Errorf("saw %s, sent %q %q", o.Saw, user, password)
	}
	if got := o.Evidence.Requests[0].URL; got != s.url+"/models" {
		t.Errorf("shown as %q", got)
	}
}
