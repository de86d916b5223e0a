package probe_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/store/provider"
)

// TestProber_ShownOfSecrets says what is masked, and what is not.
func TestProber_ShownOfSecrets(t *testing.T) {
	t.Parallel()
	const key = "sk-ant-api03-AbCdEfGhIjKlMnOp+/=="
	for name, tt := range map[string]struct{ key, text, want string }{
		"whole":                     {key, "key " + key + " is wrong", "key *** is wrong"},
		"twice":                     {key, key + key + " " + key, "*** ***"},
		"lower case":                {key, "x-" + strings.ToLower(key), "x-***"},
		"8 of it":                   {key, "(AbCdEfGh)", "(***)"},
		"7 of it":                   {key, "(AbCdEfG)", "(AbCdEfG)"},
		"as vendors shorten it":     {key, "Incorrect API key provided: sk-an***********n+/==.", "Incorrect API key provided: sk-an***********n+/==."},
		"public prefix":             {key, "keys begin with sk-ant-api03-", "keys begin with ***"},
		"another key":               {key, "not sk-proj-ZzYyXxWwVvUu", "not sk-proj-ZzYyXxWwVvUu"},
		"escapes of something else": {key, `{"error":"caf\u00e9 \u0026 100%25 &amp; a\/b =3D \x41"}`, `{"error":"caf\u00e9 \u0026 100%25 &amp; a\/b =3D \x41"}`},
		"base64 of something else":  {key, "YmFzZTY0IG9mIHNvbWV0aGluZyBlbHNl", "YmFzZTY0IG9mIHNvbWV0aGluZyBlbHNl"},
		"between others":            {key, `{"a":"\u0041","k":"` + strings.ReplaceAll(key, "+", `\u002B`) + `","b":"\u0042"}`, `{"a":"\u0041","k":"***","b":"\u0042"}`},

		"in escapes of JSON": {"dGhpc2lz+YXNlY3JldGtl+eQ==",
			`{"error":{"message":"Invalid key dGhpc2lz\u002BYXNlY3JldGtl\u002BeQ=="}}`, `{"error":{"message":"Invalid key ***"}}`},
		"in escapes of JSON, ampersand":  {"c2VjcmV0&a2V5b2Zub2JvZHk", `Invalid key c2VjcmV0\u0026a2V5b2Zub2JvZHk!`, `Invalid key ***!`},
		"in escapes of JSON, hyphen":     {"c2VjcmV0-a2V5-b2Zub2JvZHk", `Invalid key c2VjcmV0\u002da2V5\u002db2Zub2JvZHk!`, `Invalid key ***!`},
		"in escapes of JSON, slash":      {"c2VjcmV0/a2V5/b2Zub2JvZHk", `Invalid key c2VjcmV0\/a2V5\u002Fb2Zub2JvZHk!`, `Invalid key ***!`},
		"in escapes of JSON within JSON": {"c2VjcmV0+a2V5+b2Zub2JvZHk", `{"error":"{\"key\":\"c2VjcmV0\\u002ba2V5\\u002bb2Zub2JvZHk\"}"}`, `{"error":"{\"key\":\"***\"}"}`},

		"8 letters, whole":          {"password", "wrong password", "wrong ***"},
		"8 letters, within a word":  {"password", "passwords", "***s"},
		"a part of 8 letters":       {"password", "passwor pass word", "passwor ***"},
		"a word":                    {"test", "the latest test failed: tests", "the latest *** failed: tests"},
		"a word, escaped":           {"test", `"\ntest\n" te\u0073t`, `"\n***\n" ***`},
		"a word in another case":    {"ollama", "Ollama answers, not ollama", "Ollama answers, not ***"},
		"digits":                    {"1234", "port 12345, 1234", "port 12345, ***"},
		"letters and digits":        {"s3cret", "xs3cretx s3%63ret s3cre", "x***x *** s3cre"},
		"short, in base64":          {"s3cret", base64.StdEncoding.EncodeToString([]byte("me:s3cret!")), "bWU6***IQ=="},
		"short, in hex":             {"s3cret", hex.EncodeToString([]byte("me:s3cret!")), "6d653a***21"},
		"hex with chance escapes":   {"AIzaAGpnO/L<;K5tSM=", `id {\006F=002f 004c 003c=003b004b 00350074}`, "id {\\00***}"},
		"two characters":            {"ab", "ab about cab", "*** about cab"},
		"asterisks":                 {"***", "a *** b", "a *** b"},
		"broken by invisible":       {"s3cret", "s3\u200bcr\u00adet", "***"},
		"UTF-16":                    {"s3cret", "s\x003\x00c\x00r\x00e\x00t\x00", "***"},
		"nothing but its beginning": {key, "sk-ant", "sk-ant"},
	} {
		t.Run(name, func(t *testing.T) {
			pr := newProber(t, configured(t, "openai", "http://127.0.0.1:1", tt.key), probe.Options{})
			for range 2 { // the second time it is known
				if got := pr.Clean(tt.text, 200); got != tt.want {
					t.Errorf("%q is shown as %q, want %q", tt.text, got, tt.want)
				}
			}
		})
	}
}

// A password may have any characters, and blanks are folded.
func TestProber_ShownOfPasswords(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ password, text, want string }{
		"blanks":            {"correct horse battery", "it is correct horse battery!", "it is ***!"},
		"blanks, folded":    {"a b", "so: a\n\tb", "so: ***"},
		"blanks, as a form": {"correct horse battery", "p=correct+horse+battery", "p=***"},
		"blanks, escaped":   {"correct horse battery", "p=correct%20horse%20battery", "p=***"},
		"not ASCII":         {"pässwörter", "das pässwörter!", "das ***!"},
		"not ASCII, json":   {"pässwörter", `das p\u00e4ssw\u00f6rter!`, "das ***!"},
		"not ASCII, URL":    {"pässwörter", "das " + url.QueryEscape("pässwörter") + "!", "das ***!"},
		"not ASCII, html":   {"pässwörter", "das p&auml;ssw&ouml;rter!", "das ***!"},
		"emoji":             {"correct😀horse", `correct\ud83d\ude00horse`, "***"},
		"base64":            {"pässwörter", base64.StdEncoding.EncodeToString([]byte("me:pässwörter")), "***"},
		"percents":          {"50%41%42 off", "50%41%42 off", "***"},
		"percents, escaped": {"50%41%42 off", "50%2541%2542%20off", "***"},
	} {
		t.Run(name, func(t *testing.T) {
			address := "http://" + url.UserPassword("me", tt.password).String() + "@127.0.0.1:1"
			pr := newProber(t, configured(t, "ollama", address, ""), probe.Options{})
			if got := pr.Clean(tt.text, 200); got != tt.want {
				t.Errorf("%q is shown as %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// TestProber_CutsNoSecret: wherever a text is cut, what is left of a key is no run of
// it, however it is spelled.
func TestProber_CutsNoSecret(t *testing.T) {
	t.Parallel()
	const key = "dGhpc2lz+YXNlY3JldGtl/eXRo=="
	pr := newProber(t, configured(t, "openai", "http://127.0.0.1:1", key), probe.Options{})
	w := speller{}
	for _, spell := range characterSpellings {
		for _, text := range []string{key, w.eachByte(key, spell)} {
			for before := 20; before < 70; before++ {
				noRun(t, pr.Clean(strings.Repeat("-", before)+text, 64), key)
				noRun(t, pr.Clean(strings.Repeat("-", before)+text+strings.Repeat(" more", 200), 64), key)
				noRun(t, pr.Clean(strings.Repeat(text+strings.Repeat(".", before), 100), 64), key)
			}
		}
	}
}

// TestProbe_ProxySecrets: what is sent to a proxy is not shown either.
func TestProbe_ProxySecrets(t *testing.T) {
	t.Parallel()
	const password = "pass+of/nobody"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("Proxy-Authorization")
		if r.Method == http.MethodConnect { // its status is shown
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "HTTP/1.1 407 %s is wrong, that is %s\r\n\r\n", sent, url.QueryEscape(password))
			return
		}
		w.Header().Set("Via", sent)
		w.WriteHeader(http.StatusProxyAuthRequired)
		_, _ = io.WriteString(w, sent+" is wrong, that is "+strings.ReplaceAll(password, "+", `\u002b`))
	})
	proxy := strings.Replace(s.url, "http://", "http://"+url.UserPassword("me", password).String()+"@", 1)
	for _, address := range []string{"http://api.example/v1", "https://api.example/v1"} {
		p := configured(t, "openai", address, "")
		p.Type = provider.Cloud
		o := once(t, p, probe.Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }}, probe.Ask{})
		if !strings.Contains(fmt.Sprintf("%+v", o), "*** is wrong, that is ***") {
			t.Errorf("%s: saw %s %q %+v", address, o.Saw, o.Detail, o.Evidence.Requests)
		}
		for _, text := range allText(t, o) {
			noRun(t, text, password)
			noRun(t, text, base64.StdEncoding.EncodeToString([]byte("me:"+password)))
		}
	}
}

// BenchmarkClean is the cost of cleaning a text, with and without a key. Hostile texts have
// the largest size.
func BenchmarkClean(b *testing.B) {
	const list = `{"object":"list","data":[{"id":"Llama-3.1-8B-Instruct","object":"model","created":1700000000,"owned_by":"library"},{"id":"qwen2.5:7b-instruct-q4_K_M"}]}`
	for name, text := range map[string]string{
		"header":              "application/json; charset=utf-8",
		"body":                list,
		"long body":           strings.Repeat(list, 20),
		"escapes":             `{"error":"caf\u00e9 \u0026 100%25 &amp; a\/b"}`,
		"hostile backslashes": strings.Repeat(`\`, 2000),
		"hostile octal":       strings.Repeat(`\134060`, 300),
		"hostile entities":    strings.Repeat(`&#3`, 700),
		"hostile base64":      strings.Repeat("WVdGaFlXRmhZV0Zo", 120),
	} {
		for _, key := range []string{"", "sk-of-nobody-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"} {
			of := map[bool]string{true: "without a key", false: "with a key"}[key == ""]
			b.Run(name+"/"+of, func(b *testing.B) {
				pr := newProber(b, configured(b, "ollama", "http://127.0.0.1:1", key), probe.Options{})
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ { // what it saw before it knows
					pr.Clean(string(rune('a'+i%26))+strconv.Itoa(i)+text, 256)
				}
			})
		}
	}
}
