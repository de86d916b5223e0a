package etcd

import (
	"crypto/tls"
	"testing"
	"time"
)

func TestNew_ChecksItsOptions(t *testing.T) {
	t.Parallel()
	files := func() (*tls.Config, error) { return nil, nil }
	for _, test := range []struct {
		name string
		o    Options
		ok   bool
	}{
		{"HTTPS", Options{Endpoints: []string{"https://etcd-1:2379"}, Prefix: "/p/", TLS: files}, true},
		{"APathOfASlash", Options{Endpoints: []string{"https://etcd-1/"}, Prefix: "/p/", TLS: files}, true},
		{"Loopback", Options{Endpoints: []string{"http://127.0.0.1:2379", "http://[::1]", "http://localhost:1"}, Prefix: "/p/"}, true},
		{"HTTPElsewhere", Options{Endpoints: []string{"http://192.0.2.1:2379"}, Prefix: "/p/", TLS: files}, false},
		{"NoCertificates", Options{Endpoints: []string{"https://etcd-1:2379"}, Prefix: "/p/"}, false},
		{"NoScheme", Options{Endpoints: []string{"etcd-1:2379"}, Prefix: "/p/", TLS: files}, false},
		{"APassword", Options{Endpoints: []string{"https://u:p@etcd-1"}, Prefix: "/p/", TLS: files}, false},
		{"APath", Options{Endpoints: []string{"https://etcd-1/v3"}, Prefix: "/p/", TLS: files}, false},
		{"NoEndpoint", Options{Prefix: "/p/"}, false},
		{"NoPrefix", Options{Endpoints: []string{"http://localhost"}}, false},
		{"EverybodysPrefix", Options{Endpoints: []string{"http://localhost"}, Prefix: "/"}, false},
		{"ALeaseTooShort", Options{Endpoints: []string{"http://localhost"}, Prefix: "/p/", TTL: 12 * time.Second}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := New(test.o); (err == nil) != test.ok {
				t.Error(err)
			}
		})
	}
}

// A message is read without a panic, and what is kept of it is not larger than it is.
func FuzzMessages(f *testing.F) {
	f.Add((&txnRequest{ifAll: []compare{{"k", created, 1}}, success: []request{&putRequest{"k", []byte("v"), 1}}}).append(nil))
	f.Add([]byte{10, 4, 8, 1, 24, 2, 18, 2, 10, 0})
	f.Add([]byte{90, 4, 18, 2, 10, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var all rangeResponse
		var watch watchResponse
		for _, m := range []response{&all, &watch, &txnResponse{}, &leaseResponse{}} {
			_ = m.parse(b) // an error is fine
		}
		kept := 0
		for _, kv := range all.kvs {
			kept += len(kv.key) + len(kv.value)
		}
		for _, e := range watch.events {
			kept += len(e.key) + len(e.value)
		}
		if kept > 2*len(b) {
			t.Errorf("%d bytes kept of %d", kept, len(b))
		}
	})
}
