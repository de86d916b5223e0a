package provider_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestProxiesOf_ShowsNoSecret(t *testing.T) {
	const secret = "LEAK"
	for value, want := range map[string]string{
		"http://proxy:3128":                       "http://proxy:3128",
		"proxy:3128":                              "proxy:3128",
		" http://proxy:3128/ ":                    "http://proxy:3128",
		"http://u:LEAK@proxy:3128":                "http://***@proxy:3128",
		"u:LEAK@proxy:3128":                       "***@proxy:3128",
		"http://u:p@LEAK@proxy:3128":              "http://***@proxy:3128",
		"http://u:LE/LEAK@proxy:3128":             "http://***@proxy:3128",
		"http://LEAK@proxy:3128/?k=LEAK#LEAK":     "http://***@proxy:3128",
		"u:LEAK://x@proxy:3128":                   "***@proxy:3128",
		"u:LEAK@a://x@proxy:3128":                 "***@proxy:3128",
		"LEAK@proxy":                              "***@proxy",
		"socks5h://proxy:1080":                    "socks5h://proxy:1080",
		"http://proxy:3128/?session=LEAK@nowhere": "http://***@nowhere",
	} {
		got := provider.ProxiesOf(func(name string) string {
			if name == "https_proxy" {
				return value
			}
			return ""
		})
		if want := map[string]string{"HTTPS_PROXY": want}; !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
		if strings.Contains(got["HTTPS_PROXY"], secret) {
			t.Errorf("%s: shown as %q", value, got["HTTPS_PROXY"])
		}
	}
}

// Capitals count first, as in Go, and the list of exceptions is shown as it is.
func TestProxiesOf_ReadsTheVariablesAsGoDoes(t *testing.T) {
	env := map[string]string{"HTTP_PROXY": "http://big:1", "http_proxy": "http://small:1", "no_proxy": "localhost, .corp,http://u:LEAK@h", "all_proxy": "socks5://s:1", "HTTPS_PROXY": " "}
	want := map[string]string{"HTTP_PROXY": "http://big:1", "NO_PROXY": "localhost,.corp,http://***@h", "ALL_PROXY": "socks5://s:1"}
	if got := provider.ProxiesOf(func(name string) string { return env[name] }); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
