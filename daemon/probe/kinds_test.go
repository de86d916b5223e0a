package probe_test

import (
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// What is peculiar about each kind is in testdata/scenarios. Here is what a scenario cannot
// express, because it is about what was sent.

var allAsk = probe.Ask{Facts: true}

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
