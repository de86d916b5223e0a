package ctl

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// maxDump is how much of a dump of headers is read, in bytes: more than any server sends.
const maxDump = 256 << 10

// readDump adds to a report what a dump of headers tells, from a file or standard input.
func (a *app) readDump(file string, met *provider.Report) error {
	in := a.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			var path *os.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return usage("give the file that curl -D wrote, or - for standard input", "report: --headers %s: %v", file, err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxDump))
	if err != nil {
		return err
	}
	status, headers := parseDump(string(text))
	if status == 0 && len(headers) == 0 {
		return usage("for example: curl -sS -D headers.txt …; then: --headers headers.txt", "report: there are no headers in %s", file)
	}
	if met.Headers = headers; met.Status == 0 && met.Error == "" {
		met.Status = status
	}
	return nil
}

// parseDump reads the headers of an HTTP answer as programs print them, with or without
// its status line, and what may follow them. Of several answers, such as redirects and
// 100 Continue, the last one counts. Only headers that tell of limits are kept: a cookie
// is none of the daemon's business.
func parseDump(text string) (status int, headers map[string][]string) {
	body := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(strings.TrimPrefix(line, "< "), "\r\n") // as curl -v has them
		if code, ok := statusOf(line); ok {
			status, headers, body = code, nil, false
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case strings.TrimSpace(line) == "":
			body = status != 0 || headers != nil
		case body || !ok || !tellsOfLimits(name):
		default:
			if headers == nil {
				headers = map[string][]string{}
			}
			headers[name] = append(headers[name], strings.TrimSpace(value))
		}
	}
	return status, headers
}

// statusOf reads a status line: "HTTP/1.1 429 Too Many Requests", "HTTP/2 429".
func statusOf(line string) (code int, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/") {
		return 0, false
	}
	code, err := strconv.Atoi(fields[1])
	return code, err == nil && len(fields[1]) == 3
}

// tellsOfLimits reports whether a header may say when to ask again or what is left, or by
// which clock.
func tellsOfLimits(name string) bool {
	return name == "date" || strings.Contains(name, "retry-after") || strings.Contains(name, "ratelimit") || strings.Contains(name, "rate-limit") || strings.Contains(name, "tokenlimit")
}

// hearsayLine is what became of a report by a user who is no administrator.
func hearsayLine(h *provider.Hearsay, now time.Time) string {
	if h.Until.After(now) {
		return ", for a minute at most, and being probed"
	}
	return ", and being probed"
}
