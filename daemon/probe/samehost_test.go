package probe

import (
	"net/url"
	"testing"
)

func TestSameHost(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"http://a/x", "http://a/y", true},
		{"http://a", "http://A:80/", true},
		{"http://a", "https://a/", true},
		{"http://a:8080", "https://a:8080/", true},
		{"https://a", "https://a:443/", true},
		{"http://a", "https://a:8443/", false},
		{"https://a", "http://a/", false},
		{"http://a:8080", "http://a:8081/", false},
		{"http://a", "http://a.evil.example/", false},
		{"http://a", "http://b/", false},
	} {
		from, err := url.Parse(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := url.Parse(tt.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameHost(from, to); got != tt.want {
			t.Errorf("from %s to %s: %t, want %t", tt.from, tt.to, got, tt.want)
		}
	}
}
