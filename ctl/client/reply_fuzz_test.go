package client

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
)

// FuzzReply compares the reader of replies with that of net/http: it may refuse more, but
// what it accepts, both must read alike.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\nContent-Type: application/x-ndjson\r\ncontent-length:\t2 \r\n\r\n{}",
		"HTTP/1.1 200 \r\nA:\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00a\r\n0123456789\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
		"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(wire), maxHead)
		h, err := readHead(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(h.body(r))
		if err != nil {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), nil)
		if err != nil {
			t.Fatalf("accepted what net/http refuses: %v\n%q", err, wire)
		}
		defer theirs.Body.Close()
		theirBody, err := io.ReadAll(theirs.Body)
		if err != nil || theirs.StatusCode != h.status || !bytes.Equal(body, theirBody) {
			t.Fatalf("%d %q, net/http: %d %q %v", h.status, body, theirs.StatusCode, theirBody, err)
		}
	})
}
