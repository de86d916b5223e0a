package ctl_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerd/providerd/ctl"
)

// What curl and others print of an answer's headers is sent as far as it tells of
// limits, and read by the daemon alone.
func TestReport_Headers(t *testing.T) {
	const route = "POST /api/providers/groq/report "
	for name, tc := range map[string]struct{ dump, more, sent string }{
		"OfCurlD": {"HTTP/2 429 \r\ndate: Fri, 27 Nov 2026 10:00:00 GMT\r\nretry-after: 7\r\nset-cookie: secret=1\r\nx-ratelimit-reset-tokens: 6m0s\r\n\r\n", "",
			`{"status":429,"headers":{"date":["Fri, 27 Nov 2026 10:00:00 GMT"],"retry-after":["7"],"x-ratelimit-reset-tokens":["6m0s"]}}`},
		"OfSeveralTheLast": {"HTTP/1.1 100 Continue\n\nHTTP/1.1 302 Found\nRetry-After: 1\n\nHTTP/1.1 503 Service Unavailable\nRetry-After: 9\nAuthorization: x\n\n", "",
			`{"status":503,"headers":{"retry-after":["9"]}}`},
		"NotOfTheBody": {"HTTP/1.1 429 Too Many Requests\nAnthropic-RateLimit-Requests-Reset: 2026-11-27T10:00:00Z\n\nretry-after: 1\n", "",
			`{"status":429,"headers":{"anthropic-ratelimit-requests-reset":["2026-11-27T10:00:00Z"]}}`},
		"OfCurlV":           {"< HTTP/2 429\n< Retry-After: 3\n<\n", "", `{"status":429,"headers":{"retry-after":["3"]}}`},
		"WithoutStatusLine": {"retry-after: 3\nretry-after: 4\n", "--status 529", `{"status":529,"headers":{"retry-after":["3","4"]}}`},
		"BesideAnother":     {"HTTP/2 429\n", "--status 503 --retry-after 5", `{"status":503,"retry_after":"5"}`},
		"None":              {"Too many requests\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "headers.txt")
			if err := os.WriteFile(file, []byte(tc.dump), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, from := range []string{file, "-"} {
				d := startDaemon(t, map[string][]reply{route + tc.sent: {ok(`{"id":"groq","state":"RUNNING","reason":"ok"}`)}})
				var out, said bytes.Buffer
				code := ctl.Main(t.Context(), ctl.Env{
					Args:  append([]string{"--socket", d.socket, "report", "groq", "--headers", from}, strings.Fields(tc.more)...),
					Stdin: strings.NewReader(tc.dump), Stdout: &out, Stderr: &said, Getenv: func(string) string { return "" },
				})
				if tc.sent == "" {
					if code != 2 || len(d.requests()) > 0 || !strings.Contains(said.String(), "there are no headers in "+from) {
						t.Errorf("%d %s", code, said.String())
					}
				} else if code != 0 || len(d.requests()) != 1 {
					t.Errorf("%s: %d %s %q", from, code, said.String(), d.requests())
				}
			}
		})
	}
	d := startDaemon(t, nil)
	d.run(t, "report", "groq", "--headers", "/no/such/file").want(t, 2, "", "report: --headers /no/such/file: no such file or directory")
}
