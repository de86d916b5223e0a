package control_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

// malformed are requests whose end or meaning two programs could see differently, and others that
// are not proper HTTP/1.1. Each is followed by a request that pauses a provider.
var malformed = []struct {
	name, request string
	status        int
}{
	{"LengthAndChunks", chunkedPut("Content-Length: 4\r\n", "10\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunksAndLength", "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400},
	{"LengthAndChunksOfNoRoute", "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"TwoLengths", post("Content-Length: 0\r\nContent-Length: 51\r\n"), 400},
	{"TheSameLengthTwice", post("Content-Length: 0\r\nContent-Length: 0\r\n"), 400},
	{"ListOfLengths", post("Content-Length: 0, 0\r\n"), 400},
	{"NegativeLength", post("Content-Length: -1\r\n"), 400},
	{"LengthWithASign", post("Content-Length: +0\r\n"), 400},
	{"LengthInHex", post("Content-Length: 0x0\r\n"), 400},
	{"EmptyLength", post("Content-Length:\r\n"), 400},
	{"LengthPastAnyNumber", post("Content-Length: 18446744073709551616\r\n"), 400},
	{"ChunksByAnotherName", post("Transfer-Encoding: xchunked\r\n"), 501},
	{"ChunksWithAParameter", post("Transfer-Encoding: chunked;q=1\r\n"), 501},
	{"ChunksInQuotes", post("Transfer-Encoding: \"chunked\"\r\n"), 501},
	{"ChunksTwice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 501},
	{"ChunksAndMore", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
	{"ChunksThenIdentity", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 501},
	{"Identity", post("Transfer-Encoding: identity\r\n"), 501},
	{"EmptyEncoding", post("Transfer-Encoding:\r\n"), 501},
	{"ChunksBehindATabulator", post("Transfer-Encoding: \x0bchunked\r\n"), 400},
	{"ChunksInHTTP10", "POST /api/providers/refresh HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},

	{"LFAlone", "GET /api/daemon HTTP/1.1\nHost: x\n\n", 400},
	{"LFAloneBehindTheFirstLine", "GET /api/daemon HTTP/1.1\nHost: x\r\n\r\n", 400},
	{"LFAloneBehindAHeader", "GET /api/daemon HTTP/1.1\r\nHost: x\n\r\n", 400},
	{"LFAloneAtTheEnd", "GET /api/daemon HTTP/1.1\r\nHost: x\r\n\n", 400},
	{"CRAlone", "GET /api/daemon HTTP/1.1\rHost: x\r\r", 400},
	{"CRInAHeader", header("X: a\rY: b"), 400},
	{"CRBeforeTheEnd", header("X: a\r"), 400},
	{"FoldedHeader", header("X: a\r\n b"), 400},
	{"FoldedWithATab", header("X: a\r\n\tb"), 400},
	{"FoldedFirstHeader", "GET /api/daemon HTTP/1.1\r\n X: a\r\nHost: x\r\n\r\n", 400},
	{"NULInAHeader", header("X: a\x00b"), 400},
	{"ESCInAHeader", header("X: a\x1b[2Jb"), 400},
	{"DELInAHeader", header("X: a\x7fb"), 400},
	{"NULInAName", header("X\x00: a"), 400},
	{"SpaceBeforeTheColon", header("Origin : http://evil.example"), 400},
	{"TabBeforeTheColon", header("X\t: a"), 400},
	{"SpaceInAName", header("X Y: a"), 400},
	{"NoColon", header("nonsense"), 400},
	{"NoName", header(": a"), 400},
	{"NameOutsideASCII", header("X\xc3\xa9: a"), 400},

	{"SpaceInTheTarget", "GET /api/daemon x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"TabInTheTarget", "GET /api/daemon\tx HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"TwoSpaces", "GET  /api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"SpaceBehindTheVersion", "GET /api/daemon HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
	{"SpaceBeforeTheMethod", " GET /api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"EmptyLineFirst", "\r\nGET /api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"NULInThePath", "GET /api/\x00daemon HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"BadEscapeInThePath", get("/api/%zz"), 400},
	{"HalfAnEscapeInThePath", get("/api/%4"), 400},
	{"Fragment", get("/api/daemon#x"), 400},
	{"AbsoluteForm", get("http://localhost/api/daemon"), 400},
	{"AbsoluteFormOfAnotherHost", get("http://evil.example/api/daemon"), 400},
	{"AuthorityForm", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", 400},
	{"AuthorityFormOfAGet", get("localhost:80"), 400},
	{"AsteriskForm", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"NoTarget", "GET HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"MethodThatIsNoWord", "G(T /api/daemon HTTP/1.1\r\nHost: x\r\n\r\n", 400},

	{"HTTP09", "GET /api/daemon\r\n\r\n", 400},
	{"HTTP12", "GET /api/daemon HTTP/1.2\r\nHost: x\r\n\r\n", 505},
	{"HTTP2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	{"VersionInSmallLetters", "GET /api/daemon http/1.1\r\nHost: x\r\n\r\n", 400},
	{"VersionWithMoreDigits", "GET /api/daemon HTTP/1.10\r\nHost: x\r\n\r\n", 400},
	{"TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400},

	{"NoHost", "GET /api/daemon HTTP/1.1\r\n\r\n", 400},
	{"TwoHosts", header("Host: localhost"), 400},
	{"TwoHostsInAList", "GET /api/daemon HTTP/1.1\r\nHost: localhost, localhost\r\n\r\n", 400},
	{"HostWithAPath", "GET /api/daemon HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400},
	{"HostWithAUser", "GET /api/daemon HTTP/1.1\r\nHost: a@localhost\r\n\r\n", 400},
	{"HostWithAPortOfLetters", "GET /api/daemon HTTP/1.1\r\nHost: localhost:x\r\n\r\n", 400},
	{"HostWithTwoPorts", "GET /api/daemon HTTP/1.1\r\nHost: localhost:1:2\r\n\r\n", 400},
	{"HostInHalfABracket", "GET /api/daemon HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},

	{"Expectation", header("Expect: 200-ok"), 417},
	{"ExpectationsInAList", header("Expect: 100-continue, x"), 417},
	{"ManyHeaders", header(strings.TrimSuffix(strings.Repeat("X: y\r\n", 5000), "\r\n")), 431},
	{"LongHeader", header("X: " + strings.Repeat("y", 20<<10)), 431},
	{"LongPath", get("/" + strings.Repeat("x", 20<<10)), 431},

	{"ChunkExtension", chunkedPut("", "10;x=y\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkExtensionAtTheEnd", chunkedPut("", "10\r\n{\"level\":\"info\"}\r\n0;x\r\n\r\n"), 400},
	{"LongChunkExtension", chunkedPut("", "10;"+strings.Repeat("x", 20<<10)+"\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkSizeWithASpace", chunkedPut("", "10 \r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkSizeWithASign", chunkedPut("", "+10\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkSizeWithAnX", chunkedPut("", "0x10\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkSizeOfNothing", chunkedPut("", "\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkSizePastAnyNumber", chunkedPut("", "10000000000000010\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkSizeThenLFAlone", chunkedPut("", "10\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkThenLFAlone", chunkedPut("", "10\r\n{\"level\":\"info\"}\n0\r\n\r\n"), 400},
	{"LastChunkThenLFAlone", chunkedPut("", "10\r\n{\"level\":\"info\"}\r\n0\n\n"), 400},
	{"ChunkLongerThanItsSize", chunkedPut("", "f\r\n{\"level\":\"info\"}\r\n0\r\n\r\n"), 400},
	{"ChunkThenNothing", chunkedPut("", "10\r\n{\"level\":\"info\"}0\r\n\r\n"), 400},
	{"Trailer", chunkedPut("Trailer: X\r\n", "10\r\n{\"level\":\"info\"}\r\n0\r\nX: y\r\n\r\n"), 400},
	{"TrailerOfALength", chunkedPut("", "10\r\n{\"level\":\"info\"}\r\n0\r\nContent-Length: 0\r\n\r\n"), 400},
}

func header(line string) string {
	return "GET /api/daemon HTTP/1.1\r\nHost: x\r\n" + line + "\r\n\r\n"
}

func post(header string) string {
	return "POST /api/providers/refresh HTTP/1.1\r\nHost: x\r\n" + header + "\r\n"
}

func chunkedPut(header, body string) string {
	return "PUT /api/daemon/log-level HTTP/1.1\r\nHost: x\r\n" + header + "Transfer-Encoding: chunked\r\n\r\n" + body
}

// A malformed request is answered by the daemon and ends the connection, whether it arrives at
// once, in pieces or behind a good one. Neither it nor anything behind it is served.
func TestAbuse_MalformedRequestsEndTheConnection(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("a"))
	const pause = "POST /api/providers/a/pause HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r.expectRefusal(t, 0, tt.status, tt.request+pause)
			pieces := strings.Split(tt.request[:min(len(tt.request), 300)], "")
			r.expectRefusal(t, 0, tt.status, append(pieces, tt.request[len(pieces):], pause)...)
			good := get("/api/providers/a")
			r.expectRefusal(t, 2, tt.status, good+good+tt.request+pause)
			r.expectRefusal(t, 1, tt.status, good+tt.request[:1], tt.request[1:], pause)
		})
	}
	t.Cleanup(func() {
		if r.store.View().Row("a").Status.Paused {
			t.Error("a request behind a malformed one was served")
		}
	})
}

// expectRefusal sends the pieces. After some good replies it expects the refusal and then the end
// of the connection, which it does not close itself.
func (r *rig) expectRefusal(t *testing.T, good, status int, pieces ...string) {
	t.Helper()
	nc, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		for _, piece := range pieces {
			if _, err := io.WriteString(nc, piece); err != nil {
				return // it is cut short by the refusal
			}
		}
	}()
	in := bufio.NewReader(nc)
	for i := range good + 1 {
		reply, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("reply %d: %v", i, err)
		}
		var told provider.ErrorReply
		err = json.NewDecoder(reply.Body).Decode(&told)
		switch {
		case i < good && reply.StatusCode != 200:
			t.Fatalf("reply %d of the good ones is %d", i, reply.StatusCode)
		case i < good:
		case reply.StatusCode != status || !reply.Close:
			t.Errorf("got %d, that it closes: %v; want %d", reply.StatusCode, reply.Close, status)
		case err != nil || told.Error == nil || told.Error.Message == "" || told.Error.Hint == "":
			t.Errorf("the reply %d does not say what is wrong: %v %+v", status, err, told.Error)
		}
	}
	rest, _ := io.ReadAll(in) // perhaps an error: what was not read is thrown away
	if len(rest) > 0 {
		t.Errorf("more follows: %.200q", rest)
	}
}

// Unusual but valid requests are served as usual, on one connection.
func TestAbuse_UnusualRequestsAreServed(t *testing.T) {
	t.Parallel()
	r := start(t, control.Options{}, running("a"))
	const body = `{"level":"info"}`
	put := func(header, body string) string {
		return "PUT /api/daemon/log-level HTTP/1.1\r\nHost: localhost\r\n" + header + "\r\n" + body
	}
	nc, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(nc)
	for _, request := range []string{
		get("/api/providers/a"),
		get("/api/providers/%61?"),
		"GET /healthz HTTP/1.1\r\nHOST:\r\nX:\r\nX-Y:\ta\t \r\nX-Z: \xc3\xa9\xff\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: %2Frun%2Fproviderd.sock\r\n\r\n",
		"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 12<<10) + "\r\n\r\n",
		put("Content-Length: 16\r\n", body),
		put("content-length:016\r\n", body),
		put("Transfer-Encoding: CHUNKED\r\n", "1\r\n{\r\n0000F\r\n"+body[1:]+"\r\n000\r\n\r\n"),
		put("Expect: 100-Continue\r\nContent-Length: 16\r\n", body),
		get("/api/providers/a") + get("/api/providers/a"),
		get("/nope"), // refused for what it says, not for how
		get("/api/providers/a"),
	} {
		if _, err := io.WriteString(nc, request); err != nil {
			t.Fatal(err)
		}
		for range max(1, strings.Count(request, "HTTP/1.")) {
			reply, err := http.ReadResponse(in, nil)
			if err == nil && reply.StatusCode == http.StatusContinue {
				reply, err = http.ReadResponse(in, nil)
			}
			if err != nil {
				t.Fatalf("%.80q: %v", request, err)
			}
			io.Copy(io.Discard, reply.Body)
			if want := !strings.Contains(request, "/nope"); (reply.StatusCode == 200) != want {
				t.Errorf("%.80q: %d", request, reply.StatusCode)
			}
		}
	}
}
