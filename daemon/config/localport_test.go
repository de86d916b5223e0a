package config_test

import (
	"testing"

	"github.com/providerd/providerd/daemon/config"
)

func TestProvider_LocalPort(t *testing.T) {
	for base, want := range map[string]uint16{
		"http://127.0.0.1:11434":      11434,
		"http://127.0.0.1":            80,
		"https://localhost/v1":        443,
		"http://[::1]:8080/v1":        8080,
		"http://0.0.0.0:8080":         8080,
		"http://gpu.localhost.:8080":  8080,
		"tcp://127.9.9.9:6379":        6379,
		"tls://localhost:8443":        8443,
		"grpc://[::ffff:127.0.0.1]:9": 9,
		"http://192.0.2.1:8080":       0,
		"https://api.example.com":     0,
		"dns://127.0.0.1:53":          0,
		"unix:///run/model.sock":      0,
		"systemd://system/a.service":  0,
		"":                            0,
	} {
		if got := (&config.Provider{BaseURL: base}).LocalPort(); got != want {
			t.Errorf("%s: %d, want %d", base, got, want)
		}
	}
}
