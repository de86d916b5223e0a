package probe_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
)

// key is one that a vendor might issue, or one that is hard to find.
func (w speller) key() string {
	const usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
	const rare = "!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~" // a comma parts keys
	b := []byte([]string{"", "sk-", "sk-ant-api03-", "gsk_", "AIza"}[w.IntN(5)])
	for n := len(b) + 8 + w.IntN(50); len(b) < n; {
		from := usual
		if w.IntN(8) == 0 {
			from = rare
		}
		b = append(b, from[w.IntN(len(from))])
	}
	// Three asterisks stand for a secret.
	return strings.ReplaceAll(string(b)+[]string{"", "=", "=="}[w.IntN(3)], "**", "*-")
}

// part is a secret, or enough of it to count as one.
func (w speller) part(secret string) string {
	if w.IntN(3) > 0 {
		return secret
	}
	from := w.IntN(len(secret) - 7)
	return secret[from : from+8+w.IntN(len(secret)-from-7)]
}

// honestSpellings are those of honest servers.
var honestSpellings = []func(string) string{
	func(s string) string { return s },
	func(s string) string { return string(must(json.Marshal(s))) },
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return hex.EncodeToString([]byte(s)) },
	url.QueryEscape, url.PathEscape, html.EscapeString, strconv.Quote, strconv.QuoteToASCII,
}

// FuzzRedact: however a key of 8 characters or more is spelled, and wherever it is, no 8
// characters of it can be read in what is shown. Other text is shown.
func FuzzRedact(f *testing.F) {
	for i := range uint64(100) {
		f.Add(i, i*i)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		w := speller{rand.New(rand.NewPCG(a, b))}
		key, another := w.key(), strings.TrimPrefix(w.key(), "sk-ant-api03-") // which many have
		pr := newProber(t, configured(t, "openai", "http://127.0.0.1:1", key), probe.Options{})
		limit := []int{64, 200, 256}[w.IntN(3)]
		text := w.text(260) + w.spell(w.part(key)) + w.text(60)
		clean := pr.Clean(text, limit)
		if len(clean) > limit {
			t.Errorf("%d bytes of %d: %q", len(clean), limit, clean)
		}
		noRun(t, clean, key)

		keyless := newProber(t, configured(t, "ollama", "http://127.0.0.1:1", ""), probe.Options{})
		text = w.text(100) + honestSpellings[w.IntN(len(honestSpellings))](another) + w.text(60)
		if shown, want := pr.Clean(text, limit), keyless.Clean(text, limit); shown != want {
			t.Errorf("without a key %q is shown as %q, with another as %q", text, want, shown)
		}
	})
}

// FuzzProbe_Secrets: a server that sends back the key or the password in its status,
// headers, redirects and body, spelled as it likes and in as many pieces, does not get
// 8 characters of it into an observation.
func FuzzProbe_Secrets(f *testing.F) {
	for i := range uint64(30) {
		f.Add(i, i*i)
	}
	var reply atomic.Pointer[[][]byte]
	s := httptestServer(f, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		for _, piece := range *reply.Load() {
			if _, err := c.Write(piece); err != nil {
				return
			}
		}
	})
	kinds := webKinds()
	f.Fuzz(func(t *testing.T, a, b uint64) {
		w := speller{rand.New(rand.NewPCG(a, b))}
		key, password := w.key(), w.key()+[]string{"", " ", "ä"}[w.IntN(3)]+w.key()
		kind := kinds[w.IntN(len(kinds))].Name
		p := configured(t, kind, strings.Replace(s, "http://", "http://"+url.UserPassword("me", password).String()+"@", 1), key)
		p.Endpoint = s
		pieces := w.pieces(w.reply(func() string { return w.spell(w.part([]string{key, password}[w.IntN(2)])) }))
		reply.Store(&pieces)
		pr := newProber(t, p, probe.Options{})
		for range 2 {
			o := pr.Probe(t.Context(), probe.Ask{Facts: true})
			for _, text := range allText(t, o) {
				noRun(t, text, key)
				noRun(t, text, password)
			}
		}
	})
}

// reply is an answer with the secret in every part.
func (w speller) reply(secret func() string) []byte {
	line := func() string { // a break in a header ends it
		text := w.text(40) + secret() + w.text(20)
		if w.IntN(20) > 0 {
			text = strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(text)
		}
		return text
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", []int{200, 200, 302, 307, 400, 401, 403, 429, 500}[w.IntN(9)], line())
	for _, name := range []string{"Server", "X-Request-Id", "Www-Authenticate", "Retry-After", "Via", "Cf-Ray", "X-Ratelimit-Reset"} {
		if w.IntN(2) == 0 {
			fmt.Fprintf(&b, "%s: %s\r\n", name, line())
		}
	}
	if w.IntN(2) == 0 {
		fmt.Fprintf(&b, "Location: %s/%s?%s\r\n", []string{"", "http://elsewhere.example", "http://me:pass@elsewhere.example"}[w.IntN(3)], line(), line())
	}
	body := w.body(secret)
	if w.IntN(4) == 0 {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = z.Write(body)
		_ = z.Close()
		body = zipped.Bytes()
		b.WriteString("Content-Encoding: gzip\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

func (w speller) body(secret func() string) []byte {
	text := func() string { return w.text(300) + secret() + w.text(40) }
	quoted := func() string { return string(must(json.Marshal(text()))) }
	switch w.IntN(6) {
	case 0:
		return []byte(text())
	case 1:
		return []byte(`{"error":{"message":` + quoted() + `,"type":` + quoted() + `,"code":` + quoted() + `}}`)
	case 2: // not escaped again
		return []byte(`{"error":{"message":"` + strings.NewReplacer(`"`, "", "\n", "").Replace(text()) + `"}}`)
	case 3:
		return []byte(`{"version":` + quoted() + `,"status":` + quoted() + `,"models":[{"name":` + quoted() + `,"key":` + quoted() + `}]}`)
	case 4:
		return []byte(`{"object":"list","data":[{"id":` + quoted() + `,"object":"model","owned_by":` + quoted() + `}]}`)
	}
	return []byte("<!doctype html><title>" + text() + "</title>")
}

// pieces splits what is sent, as the network may.
func (w speller) pieces(b []byte) (pieces [][]byte) {
	for len(b) > 0 {
		n := 1 + w.IntN(len(b))
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return pieces
}

// allText is every text of an observation.
func allText(t *testing.T, o probe.Observation) (texts []string) {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				texts = append(texts, k)
				walk(e)
			}
		}
	}
	walk(v)
	return texts
}
