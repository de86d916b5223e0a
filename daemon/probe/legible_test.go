package probe_test

import (
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// gzip has an older name, may be in upper case or beside words that are no encoding, and
// may have been applied twice, by the server and by a proxy. The evidence shows how a body
// came.
func TestProbe_NamesOfGzip(t *testing.T) {
	t.Parallel()
	zip := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	single := zip(`{"version":"0.12.3"}`)
	for coding, body := range map[string]string{
		"x-gzip":         single,
		"X-GZip":         single,
		"GZIP":           single,
		"gzip, identity": single,
		"identity,gzip":  single,
		"identity":       `{"version":"0.12.3"}`,
		"gzip, gzip":     zip(single),
		"x-gzip,gzip":    zip(single),
	} {
		s := serve(t, page{headers: map[string]string{"Content-Encoding": coding}, body: body}.ServeHTTP)
		o := once(t, configured(t, "ollama", s.url, ""), probe.Options{}, probe.Ask{})
		if o.Saw != provider.OK || o.Facts.Version != "0.12.3" {
			t.Errorf("%s: saw %s %q", coding, o.Saw, o.Detail)
		}
		if got := o.Evidence.Requests[0].Headers["content-encoding"]; got != coding {
			t.Errorf("the evidence shows %q, want %q", got, coding)
		}
	}
}
