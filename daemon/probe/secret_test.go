package probe_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestPromise7_SecretsStayIn: a server may send the key back everywhere; it is kept
// nowhere.
func TestPromise7_SecretsStayIn(t *testing.T) {
	t.Parallel()
	const key = `K3y/of+nobody"at%all==`
	const password = "pass-of-nobody"
	bodies := map[string]string{
		"plain":           "your key is " + key,
		"error":           `{"error":{"message":` + quoted(t, key) + `,"type":` + quoted(t, key) + `,"code":` + quoted(t, key) + `}}`,
		"escaped":         `{"error":{"message":"refused: ` + escapedAsJSON(key) + `"}}`,
		"JSON in JSON":    `{"error":` + quoted(t, `{"error":{"message":"refused: `+escapedAsJSON(key)+`"}}`) + `}`,
		"version":         `{"version":` + quoted(t, key) + `,"status":` + quoted(t, key) + `}`,
		"lists":           `{"object":"list","has_more":false,"models":[{"name":` + quoted(t, key) + `,"key":` + quoted(t, key) + `,"loaded_instances":[{}]}],"data":[{"id":` + quoted(t, key) + `,"owned_by":` + quoted(t, key) + `}]}`,
		"query escaped":   "?key=" + url.QueryEscape(key),
		"password":        password,
		"basic":           base64.StdEncoding.EncodeToString([]byte("me:" + password)),
		"at the cut":      strings.Repeat("x", 250) + key,
		"at the next cut": strings.Repeat("x", 185) + key,
		"many, and cut":   strings.Repeat(key+" ", 300),
		"at every boundary": func() string {
			var b strings.Builder
			for i := range 90 {
				b.WriteString(strings.Repeat("-", i) + key)
			}
			return b.String()
		}(),
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, status := range []int{200, 302, 400, 403, 429, 500} {
				s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					for _, h := range []string{"Server", "X-Request-Id", "Www-Authenticate", "Retry-After", "X-Ratelimit-Reset"} {
						w.Header().Set(h, key)
					}
					w.Header().Set("X-Ratelimit-"+password, key)
					w.Header().Set("Location", "http://elsewhere.example/"+url.PathEscape(key)+"?"+url.QueryEscape(key))
					w.WriteHeader(status)
					_, _ = io.WriteString(w, body)
				})
				for _, k := range webKinds() {
					p := configured(t, k.Name, strings.Replace(s.url, "http://", "http://me:"+password+"@", 1), key)
					p.Endpoint = s.url
					o := once(t, p, probe.Options{}, probe.Ask{Facts: true})
					if o.Saw == "" || len(o.Evidence.Requests) == 0 {
						t.Fatalf("%d, %s: saw %q %q", status, k.Name, o.Saw, o.Detail)
					}
					noSecret(t, o, key, password)
				}
			}
		})
	}
	for name, text := range map[string]string{
		"not HTTP":     key + " is what you sent",
		"long banner":  strings.Repeat("-", 20) + key,
		"broken":       "HTTP/1.1 200 OK\r\n" + key + "\r\n\r\n",
		"odd status":   "HTTP/1.1 " + key + "\r\n\r\n",
		"bad chunking": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + key + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			address := talk(t, true, func(c net.Conn) { _, _ = io.WriteString(c, text) })
			o := once(t, configured(t, "ollama", "http://"+address, key), probe.Options{}, probe.Ask{})
			noSecret(t, o, key, password)
		})
	}
}

// TestProbe_PartsOfSecrets: a part of what is configured, if sent, is as secret as the
// whole.
func TestProbe_PartsOfSecrets(t *testing.T) {
	t.Parallel()
	const first, second, user = "first-of-nobody", "other/of+nobody", "token-of-nobody"
	for name, tt := range map[string]struct {
		kind, userinfo, key string
		secrets             []string
	}{
		"several keys":              {"llamacpp", "", first + ", " + second, []string{first, second}},
		"a user without a password": {"ollama", user + "@", "", []string{user, base64.StdEncoding.EncodeToString([]byte(user + ":"))}},
		"an empty password":         {"ollama", user + ":@", "", []string{user, base64.StdEncoding.EncodeToString([]byte(user + ":"))}},
		"a password alone":          {"ollama", ":" + user + "@", "", []string{user, base64.StdEncoding.EncodeToString([]byte(":" + user))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			echoed := strings.Join(tt.secrets, " ")
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Request-Id", r.Header.Get("Authorization"))
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(w, `{"error":{"message":`+quoted(t, "refused: "+echoed+" "+r.Header.Get("Authorization"))+`}}`)
			})
			p := configured(t, tt.kind, strings.Replace(s.url, "http://", "http://"+tt.userinfo, 1), tt.key)
			p.Endpoint = s.url
			o := once(t, p, probe.Options{}, probe.Ask{Facts: true})
			if sent := s.seen[0].Header.Get("Authorization"); sent == "" || o.Saw != provider.Unauthorized || !strings.Contains(o.Detail, "refused: ***") {
				t.Errorf("sent %q, saw %s %q", sent, o.Saw, o.Detail)
			}
			noSecret(t, o, tt.secrets...)
		})
	}
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// escapedAsJSON writes each character that is not a letter or digit as \u00xx, and / as \/.
func escapedAsJSON(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '/':
			b.WriteString(`\/`)
		case isAlphanumeric(c):
			b.WriteRune(c)
		default:
			fmt.Fprintf(&b, `\u%04X`, c)
		}
	}
	return b.String()
}

var jsonEscape = regexp.MustCompile(`\\+(?:u00([0-9a-fA-F]{2})|/)`)

// unescaped is a text with all JSON escapes undone, however often they were applied.
func unescaped(s string) string {
	return jsonEscape.ReplaceAllStringFunc(s, func(escape string) string {
		digits := jsonEscape.FindStringSubmatch(escape)[1]
		if c, err := strconv.ParseUint(digits, 16, 8); err == nil {
			return string(rune(c))
		}
		return "/"
	})
}

// noSecret looks for a run of the secret that is long enough to be useful.
func noSecret(t *testing.T, o probe.Observation, secrets ...string) {
	t.Helper()
	evidence, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(evidence), unescaped(string(evidence)), fmt.Sprintf("%+v", o), fmt.Sprintf("%#v", o.Evidence.Requests)} {
		for _, secret := range secrets {
			const run = 6
			for i := 0; i+run <= len(secret); i++ {
				if strings.Contains(text, secret[i:i+run]) {
					t.Fatalf("%q of the secret is in %s", secret[i:i+run], text)
				}
			}
		}
	}
}
