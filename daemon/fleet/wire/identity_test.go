package wire

import (
	"fmt"
	"testing"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

const vendorKey = "sk-made-up-for-this-test"

func cloud(base string) config.Provider {
	return config.Provider{ID: "a", Kind: "openai", Type: provider.Cloud, BaseURL: base, Key: config.NewSecret(vendorKey)}
}

func TestIdentify_SameServerSameFingerprint(t *testing.T) {
	key := make([]byte, 32)
	first := cloud("https://api.example.com/v1")
	same := []config.Provider{cloud("HTTPS://API.example.com/v1"), cloud("https://api.example.com:443/v1"), cloud("https://api.example.com./v1")}
	same[0].ID, same[1].Interval, same[2].Rise = "other", 7, 3
	for _, p := range same {
		if Identify(key, &p) != Identify(key, &first) {
			t.Errorf("%s is another server", p.BaseURL)
		}
	}
	other := map[string]func(*config.Provider){
		"kind":      func(p *config.Provider) { p.Kind = "openai-compatible" },
		"host":      func(p *config.Provider) { p.BaseURL = "https://api2.example.com/v1" },
		"scheme":    func(p *config.Provider) { p.BaseURL = "http://api.example.com/v1" },
		"port":      func(p *config.Provider) { p.BaseURL = "https://api.example.com:444/v1" },
		"path":      func(p *config.Provider) { p.BaseURL = "https://api.example.com/v2" },
		"key":       func(p *config.Provider) { p.Key = config.NewSecret(vendorKey + "2") },
		"no key":    func(p *config.Provider) { p.Key = config.Secret{} },
		"models":    func(p *config.Provider) { p.Models = []string{"m"} },
		"status":    func(p *config.Provider) { p.Expect.Status = []int{204} },
		"json":      func(p *config.Provider) { p.Expect.JSON = map[string]any{"$.a": true} },
		"json text": func(p *config.Provider) { p.Expect.JSON = map[string]any{"$.a": "true"} },
		"days":      func(p *config.Provider) { p.Expect.Days = 3 },
		"ca":        func(p *config.Provider) { p.TLS = &config.TLS{} },
	}
	seen := map[FP]string{Identify(key, &first).FP: "the first"}
	for name, change := range other {
		p := first
		change(&p)
		fp := Identify(key, &p).FP
		if seen[fp] != "" {
			t.Errorf("%s: same as %s", name, seen[fp])
		}
		seen[fp] = name
	}
	key2 := make([]byte, 32)
	key2[0] = 1
	if Identify(key2, &first) == Identify(key, &first) {
		t.Error("the fleet's key does not matter")
	}
}

// A limit belongs to a key at a vendor; without a key, to one server alone.
func TestIdentify_WhomALimitConcerns(t *testing.T) {
	key := make([]byte, 32)
	limit := func(p config.Provider) FP { return Identify(key, &p).Limit }
	a, b := cloud("https://api.example.com/v1"), cloud("https://api.example.com/v2")
	b.Kind, b.ID = "openai-compatible", "b"
	if limit(a) != limit(b) {
		t.Error("same key at the same vendor: different limits")
	}
	for name, change := range map[string]func(*config.Provider){
		"another key":    func(p *config.Provider) { p.Key = config.NewSecret(vendorKey + "2") },
		"another vendor": func(p *config.Provider) { p.BaseURL = "https://api.example.org/v1" },
		"another port":   func(p *config.Provider) { p.BaseURL = "https://api.example.com:8443/v1" },
		"no key":         func(p *config.Provider) { p.Key = config.Secret{} },
	} {
		p := a
		if change(&p); limit(p) == limit(a) {
			t.Errorf("%s: same limit", name)
		}
	}
	x, y := config.Provider{Kind: "vllm", BaseURL: "http://gpu:8000"}, config.Provider{Kind: "vllm", BaseURL: "http://gpu:8001"}
	z := config.Provider{Kind: "tgi", BaseURL: "http://gpu:8000"}
	if limit(x) == limit(y) || limit(x) == limit(z) {
		t.Error("one server's limit holds another's")
	}
}

func TestUnshared_WhatNeverLeavesAMachine(t *testing.T) {
	for name, p := range map[string]config.Provider{
		"loopback":       {BaseURL: "http://127.0.0.1:1"},
		"localhost":      {BaseURL: "http://localhost:1"},
		"a subdomain":    {BaseURL: "http://api.localhost:1"},
		"mapped":         {BaseURL: "http://[::ffff:127.0.0.1]:1"},
		"IPv6":           {BaseURL: "http://[::1]:1"},
		"unspecified":    {BaseURL: "http://0.0.0.0:1"},
		"Unix":           {BaseURL: "unix:///run/a.sock"},
		"exec":           {Command: []string{"/bin/true"}, BaseURL: "exec:/bin/true"},
		"systemd":        {Kind: "systemd", Unit: "a.service", BaseURL: "systemd:a.service"},
		"user":           {BaseURL: "http://me@gpu:1"},
		"user, password": {BaseURL: "http://me:pw@gpu:1"},
		"short key":      {BaseURL: "https://gpu", Key: config.NewSecret("0123456789012345678")},
		"no key":         {BaseURL: "https://gpu", KeyMissing: "OPENAI_API_KEY"},
		"bad key":        {BaseURL: "https://gpu", KeyFault: "it has a line break"},
		"no address":     {AddressFault: "none"},
		"link-local":     {BaseURL: "http://169.254.1.1:1"},
		"zone":           {BaseURL: "http://[fe80::1%25eth0]:1"},
		"container":      {BaseURL: "http://host.docker.internal:1"},
		"podman":         {BaseURL: "http://host.containers.internal:1"},
	} {
		if Unshared(&p) == "" {
			t.Errorf("%s is shared", name)
		}
		if got := Reachable(&p); got != "" && p.Key.IsZero() && p.KeyMissing == "" && p.KeyFault == "" {
			t.Errorf("%s is shown as %s", name, got)
		}
	}
	for _, base := range []string{"http://gpu3:8000", "https://api.example.com/v1", "http://198.51.100.5:11434", "http://[2001:db8::5]:1"} {
		p := config.Provider{BaseURL: base}
		if why := Unshared(&p); why != "" || Reachable(&p) != base {
			t.Errorf("%s: %q, reachable at %q", base, why, Reachable(&p))
		}
		if !isReachable(base) {
			t.Errorf("%s is not read", base)
		}
	}
}

func TestRank_SpreadsProvidersOverMembers(t *testing.T) {
	const members, providers = 10, 1000
	held := map[string]int{}
	for i := range providers {
		fp, best, lowest := mac(nil, fmt.Sprint(i)), "", ^uint64(0)
		for m := range members {
			name := fmt.Sprint("gpu", m)
			if r := Rank(fp, name); r < lowest {
				best, lowest = name, r
			}
		}
		held[best]++
	}
	for name, n := range held {
		if n < 60 || n > 150 {
			t.Errorf("%s would probe %d of %d", name, n, providers)
		}
	}
}

func TestParseKey(t *testing.T) {
	fp := mac(nil, "x")
	for _, kind := range []string{Rows, Claims, ModelSet, Limits, Refresh} {
		if k, ok := ParseKey(kind + fp.String()); !ok || k.Kind != kind || k.FP != fp {
			t.Errorf("%s: %+v %v", kind, k, ok)
		}
	}
	if k, ok := ParseKey(PartKey("gpu-3.lab", 0)); !ok || k.Member != "gpu-3.lab" || k.Part != 0 {
		t.Errorf("%+v %v", k, ok)
	}
	if k, ok := ParseKey(PartKey("gpu3", 12)); !ok || k.Member != "gpu3" || k.Part != 12 {
		t.Errorf("%+v %v", k, ok)
	}
	for _, bad := range []string{
		"", "row/", "row/zz", "row/" + fp.String() + "0", "rows/" + fp.String(), "members/", "members/a/0", "members/a/01", "members/a/64",
		"members/a/-1", "members/a/1/2", "members/.a", "members/a b", "host/", "host/a/b", "host/\x1b", "later/" + fp.String(),
		"claim/" + "AB" + fp.String()[2:],
	} {
		if k, ok := ParseKey(bad); ok {
			t.Errorf("%q is %+v", bad, k)
		}
	}
}
