package probe_test

import (
	"context"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// localKinds are those with a default address on this machine.
func localKinds() []config.Kind {
	return slices.DeleteFunc(probe.Kinds(), func(k config.Kind) bool {
		return k.Type != provider.Local || k.BaseURL == ""
	})
}

// defaultAddress is the default address of a kind.
func defaultAddress(t *testing.T, k config.Kind) string {
	t.Helper()
	u, err := url.Parse(k.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// discoverAt runs Discover on a machine where only a scenario's server listens, at those
// addresses. It runs in a bubble, because Discover has a deadline of its own.
func discoverAt(t *testing.T, s *scenario, addresses ...string) (found []provider.Discovered, requests []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, false)
		theatre, err := openOver(s, n)
		if err != nil {
			t.Fatal(err)
		}
		defer theatre.close()
		found, _ = probe.Discover(t.Context(), probe.Options{
			Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
				if !slices.Contains(addresses, to) {
					return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
				}
				return n.dial(ctx, network, to)
			},
		})
		requests = theatre.requests()
	})
	return found, requests
}

func TestDiscover_EachKindWhereItsVendorPutsIt(t *testing.T) {
	for _, k := range localKinds() {
		t.Run(k.Name, func(t *testing.T) {
			server := "healthy"
			if k.Name == "jan" {
				server = "key-missing" // it is never without one
			}
			found, requests := discoverAt(t, find(t, k.Name, server), defaultAddress(t, k))
			if len(found) != 1 || found[0].Kind != k.Name || found[0].BaseURL != k.BaseURL {
				t.Errorf("found %+v with %q", found, requests)
			}
		})
	}
}

// Whatever listens where, no kind is taken for another, and no server gets the same request
// twice, or one that costs anything.
func TestDiscover_TakesNoKindForAnother(t *testing.T) {
	dear := []string{"/health_generate", "/slots"}
	var addresses []string
	for _, k := range localKinds() {
		addresses = append(addresses, defaultAddress(t, k))
	}
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	for _, k := range localKinds() {
		t.Run(k.Name, func(t *testing.T) {
			for _, address := range addresses {
				found, requests := discoverAt(t, find(t, k.Name, "healthy"), address)
				if len(found) != 1 {
					t.Errorf("at %s: found %+v", address, found)
					continue
				}
				if kind := found[0].Kind; kind != k.Name && kind != "" && kind != "openai-compatible" {
					t.Errorf("at %s it is taken for %s", address, kind)
				}
				asked := slices.Clone(requests)
				slices.Sort(asked)
				if len(slices.Compact(asked)) != len(requests) || len(requests) > 4 {
					t.Errorf("at %s: asked %q", address, requests)
				}
				for _, request := range requests {
					_, path, _ := strings.Cut(request, " ")
					if !strings.HasPrefix(request, "GET ") || slices.Contains(dear, path) || path == "/health" && address != "127.0.0.1:8080" {
						t.Errorf("at %s: asked %s", address, request)
					}
				}
			}
		})
	}
}

// An unknown server is not guessed, unless its port belongs to only one kind.
func TestDiscover_WhatIsNotTold(t *testing.T) {
	for _, tt := range []struct {
		kind, scenario, address string
		want                    provider.Discovered
	}{
		{"sglang", "key-none", "127.0.0.1:30000", provider.Discovered{Kind: "sglang", BaseURL: "http://127.0.0.1:30000", Note: "identified by its port alone, because it wants a key"}},
		{"sglang", "key-none", "127.0.0.1:8000", provider.Discovered{BaseURL: "http://127.0.0.1:8000", Note: "it wants a key, so its kind is unknown"}},
		{"textgen", "airplay-on-its-port", "127.0.0.1:5000", provider.Discovered{BaseURL: "http://127.0.0.1:5000", Note: "it answers, but is not of a known kind"}},
		{"tgi", "another-app", "127.0.0.1:3000", provider.Discovered{BaseURL: "http://127.0.0.1:3000", Note: "it answers, but is not of a known kind"}},
		{"nim", "healthy", "127.0.0.1:8080", provider.Discovered{Kind: "openai-compatible", BaseURL: "http://127.0.0.1:8080/v1"}},
		{"vllm", "healthy", "127.0.0.1:8080", provider.Discovered{Kind: "vllm", BaseURL: "http://127.0.0.1:8080"}},
	} {
		t.Run(tt.kind+"/"+tt.scenario+"@"+tt.address, func(t *testing.T) {
			found, _ := discoverAt(t, find(t, tt.kind, tt.scenario), tt.address)
			if len(found) != 1 || found[0] != tt.want {
				t.Errorf("found %+v, want %+v", found, tt.want)
			}
		})
	}
}

// A server that accepts and says nothing costs little time, and is shown.
func TestDiscover_Silence(t *testing.T) {
	s := &scenario{}
	s.Server.Connect = "silent"
	found, _ := discoverAt(t, s, "127.0.0.1:8000")
	if len(found) != 1 || found[0].Kind != "" || !strings.Contains(found[0].Note, "no answer") {
		t.Errorf("found %+v", found)
	}
}
