package framing

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// An outcome is what becomes of bytes on a connection.
type outcome struct {
	good, heads int
	status      int // of the refusal; 0: there is none
}

// scan feeds the bytes in pieces of so many.
func scan(p []byte, piece int) outcome {
	var s scanner
	var o outcome
	for at := 0; at < len(p); at += piece {
		chunk := p[at:min(at+piece, len(p))]
		good, heads, bad := s.take(chunk)
		o.heads += heads
		if bad != nil {
			o.good, o.status = at+good, bad.Status
			return o
		}
	}
	o.good = len(p)
	return o
}

var samples = []string{
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /a?b HTTP/1.0\r\n\r\nGET /b HTTP/1.1\r\nHost: [::1]:80\r\nX: \xff\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0a\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\n\r\n",
	"GET / HTTP/1.1\nHost: x\n\n",
	"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 300) + "\r\n\r\n",
}

// Of whatever is let through, net/http sees the same requests with the same bodies,
// and whatever the pieces are that it comes in, the same is let through.
func FuzzScanner(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample), 1)
		f.Add([]byte(sample), 7)
	}
	f.Fuzz(func(t *testing.T, p []byte, piece int) {
		whole := scan(p, max(1, len(p)))
		pieces := scan(p, 1+(piece&0x7fffffff)%64)
		if pieces.heads != whole.heads || pieces.status != whole.status {
			t.Errorf("in pieces %+v, at once %+v", pieces, whole)
		}
		if whole.status != 0 && whole.good == len(p) {
			t.Error("a refusal, but all is passed on")
		}
		in := bufio.NewReader(bytes.NewReader(p[:whole.good]))
		seen := 0
		for ; seen < whole.heads; seen++ {
			r, err := http.ReadRequest(in)
			if err != nil {
				t.Fatalf("net/http refuses what was let through: %v", err)
			}
			if len(r.Trailer) > 0 || r.URL.Host != "" {
				t.Errorf("a trailer or a host was let through: %v %q", r.Trailer, r.URL.Host)
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil && seen < whole.heads-1 {
				t.Fatalf("net/http ends the body elsewhere: %v", err)
			} else if err != nil {
				return // the last one may be cut off
			}
		}
		if r, err := http.ReadRequest(in); err == nil {
			t.Errorf("net/http sees one request more: %s %s", r.Method, r.URL)
		}
	})
}

// A head in a buffer costs no allocation, nor does one in two pieces.
func TestScanner_AllocatesNothing(t *testing.T) {
	request := []byte(samples[0])
	var s scanner
	if n := testing.AllocsPerRun(100, func() {
		s.take(request)
		s.take(request[:9])
		s.take(request[9:])
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScanner(b *testing.B) {
	request := []byte("GET /api/providers/status HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n")
	var s scanner
	b.ReportAllocs()
	for b.Loop() {
		s.take(request)
	}
}
