package sink

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// The body is the notice, and the headers are those of Standard Webhooks.
func TestWebhook(t *testing.T) {
	key := []byte("\x00\x01 a key of some bytes \xff")
	for _, secret := range []string{"whsec_" + base64.StdEncoding.EncodeToString(key), "a-plain-text"} {
		f := newFake(t, nil)
		s := make1(t, config.Notify{
			Kind: "webhook", URL: f.URL + "/hook?x=1", TokenFile: file(t, "tok-0123456789"), SecretFile: file(t, secret),
		}, options())
		n := ollamaDown()
		for range 2 { // as after a crash
			if err := deliver(t, s, n); err != nil {
				t.Fatal(err)
			}
		}
		r := f.got[0]
		if r.method != "POST" || r.path != "/hook" || r.query != "x=1" || r.header.Get("Content-Type") != "application/json" ||
			r.header.Get("Authorization") != "Bearer tok-0123456789" || r.header.Get("User-Agent") != "providerd/test" {
			t.Errorf("%+v", r)
		}
		want := map[string]any{
			"id": "msg_1", "type": "opened", "provider": "ollama", "state": "STOPPED", "reason": "connection_refused",
			"detail": "connection refused", "hint": "start it: ollama serve", "since": "2026-01-02T12:00:00.000Z", "host": "gpu1",
		}
		var got map[string]any
		if err := json.Unmarshal(r.body, &got); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		if f.got[0].header.Get("webhook-id") != "msg_1" || f.got[1].header.Get("webhook-id") != "msg_1" {
			t.Error("the same message has another id")
		}
		bytes := key
		if secret == "a-plain-text" {
			bytes = []byte(secret)
		}
		mac := hmac.New(sha256.New, bytes)
		fmt.Fprintf(mac, "%s.%s.%s", r.header.Get("webhook-id"), r.header.Get("webhook-timestamp"), r.body)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.header.Get("webhook-signature") != want {
			t.Errorf("signature %s, want %s", r.header.Get("webhook-signature"), want)
		}
	}
}

// The signature is the one of the specification's own example.
func TestStamp_Specification(t *testing.T) {
	key, err := signingKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	stamp(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", key, time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got := h.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}

// Without templates a webhook has no texts for people; with them it has both.
func TestWebhook_Texts(t *testing.T) {
	f := newFake(t, nil)
	s := make1(t, config.Notify{Kind: "webhook", URL: f.URL, Title: "{{.Provider}}!"}, options())
	if err := deliver(t, s, ollamaDown()); err != nil {
		t.Fatal(err)
	}
	var got provider.Notice
	if err := json.Unmarshal(f.one(t).body, &got); err != nil || got.Title != "ollama!" || !strings.HasPrefix(got.Body, "connection refused") {
		t.Errorf("%v %q %q", err, got.Title, got.Body)
	}
	if h := f.got[0].header; h.Get("webhook-signature") != "" || h.Get("Authorization") != "" {
		t.Error("signed without a secret")
	}
}

// What a receiver answers decides whether the message is tried again, and when.
func TestPost_Answers(t *testing.T) {
	type end int
	const (
		accepted end = iota
		again
		refused
		waits
	)
	date := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // a server's clock may be wrong
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   end
		wait   time.Duration
	}{
		"200": {status(200), accepted, 0}, "201": {status(201), accepted, 0}, "204": {status(204), accepted, 0},
		"301": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
		}, refused, 0},
		"307": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, refused, 0},
		"400": {status(400), refused, 0}, "401": {status(401), refused, 0}, "404": {status(404), refused, 0},
		"410": {status(410), refused, 0}, "422": {status(422), refused, 0},
		"408": {status(408), again, 0}, "409": {status(409), again, 0}, "425": {status(425), again, 0}, "429": {status(429), again, 0},
		"500": {status(500), again, 0}, "503": {status(503), again, 0},
		"429 with seconds":  {status(429, "Retry-After", "120"), waits, 2 * time.Minute},
		"429 with fraction": {status(429, "Retry-After", "1.5"), waits, 1500 * time.Millisecond},
		"503 with a date":   {status(503, "Retry-After", date.Add(time.Hour).Format(http.TimeFormat), "Date", date.Format(http.TimeFormat)), waits, time.Hour},
		"503 for ever":      {status(503, "Retry-After", "99999999999"), waits, 24 * time.Hour},
		"503 with nonsense": {status(503, "Retry-After", "soon"), again, 0},
		"503 with the past": {status(503, "Retry-After", date.Add(-time.Hour).Format(http.TimeFormat), "Date", date.Format(http.TimeFormat)), again, 0},
		"400 with seconds":  {status(400, "Retry-After", "120"), refused, 0},
		"telegram's": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(429)
			fmt.Fprint(w, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`)
		}, waits, 35 * time.Second},
		"closes": {func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, again, 0},
		"huge": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			for range 1000 {
				if _, err := w.Write([]byte(strings.Repeat("x", 64<<10))); err != nil {
					return
				}
			}
		}, again, 0},
		"accepts and hangs": {hangs(200), accepted, 0}, "fails and hangs": {hangs(503), again, 0}, "refuses and hangs": {hangs(410), refused, 0},
		"endless and accepted": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat("x", 64<<10))); err != nil {
					return
				}
			}
		}, accepted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.answer)
			s := make1(t, config.Notify{Kind: "webhook", URL: f.URL}, options())
			before := time.Now()
			err := deliver(t, s, ollamaDown())
			var later *LaterError
			var got end
			switch {
			case err == nil:
			case isRefused(err):
				got = refused
			case errors.As(err, &later):
				got = waits
				if off := later.At.Sub(before) - tt.wait; off < 0 || off > time.Minute {
					t.Errorf("not before %s from now, want %s", later.At.Sub(before), tt.wait)
				}
			default:
				got = again
			}
			if got != tt.want {
				t.Errorf("%d (%v), want %d", got, err, tt.want)
			}
			if err != nil && len(err.Error()) > maxError+60 {
				t.Errorf("%d bytes of an error", len(err.Error()))
			}
			f.one(t) // a redirect is not followed, and nothing is tried again here
		})
	}
}

// hangs answers with a status, and then says no more.
func hangs(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for pair := range slices.Chunk(header, 2) {
			w.Header().Set(pair[0], pair[1])
		}
		w.WriteHeader(code)
	}
}

// A delivery ends with its context, whatever the receiver does.
func TestPost_EndsWithItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s := make1(t, config.Notify{Kind: "webhook", URL: "http://" + silent.Addr().String()}, options())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Deliver(ctx, ollamaDown()) }()
	c, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if err := <-done; err == nil || isRefused(err) {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Deliver(ctx, ollamaDown()); err == nil || err.Error() != "no answer in time" {
		t.Error(err)
	}
}

// No error shows a secret, however the receiver repeats it.
func TestPost_SecretsStayIn(t *testing.T) {
	const token, path, secret = "tk_0123456789abcdefghij", "T00000000AB/B11111111CD/abcdefGHIJKLmnopQRSTuv", "whsec_c2VjcmV0LW9mLXRoZS13ZWJob29r"
	repeats := []func(string) string{
		func(s string) string { return s },
		url.QueryEscape,
		strings.ToUpper,
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte("auth: " + s)) },
		func(s string) string { return fmt.Sprintf("%q", s) },
		func(s string) string { return fmt.Sprintf("%x", s) },
		func(s string) string { return strings.Repeat("x", 3*maxError) + s },
		func(s string) string { return strings.Repeat(s+"!", 100) }, // one is cut where the reading ends
	}
	for i, repeat := range repeats {
		for _, text := range []string{token, path, secret} {
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(400)
				fmt.Fprint(w, "bad request for ", repeat(text))
			})
			s := make1(t, config.Notify{
				Kind: "webhook", URLFile: file(t, f.URL+"/services/"+path+"?key=qwertyuiopasdf"),
				TokenFile: file(t, token), SecretFile: file(t, secret),
			}, options())
			got := deliver(t, s, ollamaDown()).Error()
			for from := range len(text) - 8 {
				part := text[from : from+8]
				if strings.ContainsAny(part, "/") {
					continue
				}
				if strings.Contains(strings.ToLower(got), strings.ToLower(part)) || strings.Contains(got, base64.StdEncoding.EncodeToString([]byte("auth: "+text))) {
					t.Errorf("repeat %d shows %q: %s", i, part, got)
					break
				}
			}
		}
	}
	s := make1(t, config.Notify{Kind: "webhook", URLFile: file(t, "http://127.0.0.1:1/"+path)}, options())
	if got := deliver(t, s, ollamaDown()).Error(); strings.Contains(got, path[:8]) || !strings.Contains(got, "refused") {
		t.Error(got)
	}
}

// A token reaches nobody but the receiver: not the target of a redirect.
func TestPost_RedirectGetsNothing(t *testing.T) {
	other := newFake(t, nil)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	s := make1(t, config.Notify{Kind: "ntfy", URL: f.URL + "/topic", TokenFile: file(t, "tk_1234567890")}, options())
	if err := deliver(t, s, ollamaDown()); !isRefused(err) || !strings.Contains(err.Error(), "redirect") {
		t.Error(err)
	}
	if len(other.got) != 0 {
		t.Error("the redirect was followed")
	}
}

// What is for this machine goes to no proxy, by whatever name, and to no other machine.
func TestPost_ThisMachine(t *testing.T) {
	f, proxy := newFake(t, nil), newFake(t, nil)
	o := options()
	o.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	_, port, _ := net.SplitHostPort(f.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "api.localhost", "API.LocalHost."} {
		s := make1(t, config.Notify{Kind: "gotify", URL: "http://" + host + ":" + port, TokenFile: file(t, "for-this-test")}, o)
		if err := deliver(t, s, ollamaDown()); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(f.got) != 4 || len(proxy.got) != 0 {
		t.Errorf("%d requests, %d to the proxy", len(f.got), len(proxy.got))
	}
}

// The daemon's proxy is used, and its password is in no error.
func TestPost_Proxy(t *testing.T) {
	proxy := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(502)
		fmt.Fprint(w, "no thanks, hunter2hunter2")
	})
	o := options()
	o.Proxy = func(*http.Request) (*url.URL, error) {
		u, err := url.Parse(proxy.URL)
		u.User = url.UserPassword("me", "hunter2hunter2")
		return u, err
	}
	for _, to := range []string{"http://hooks.example/x", "https://hooks.example/x"} {
		err := deliver(t, make1(t, config.Notify{Kind: "webhook", URL: to}, o), ollamaDown())
		if err == nil || isRefused(err) || !strings.Contains(err.Error(), "502") || strings.Contains(err.Error(), "hunter2h") {
			t.Errorf("%s: %v", to, err)
		}
	}
	if len(proxy.got) != 2 {
		t.Errorf("%d requests", len(proxy.got))
	}
}
