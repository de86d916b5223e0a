package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

func TestClient_Do(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"ReadsABodyOfKnownLength": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hello")
		}, "hello"},
		"ReadsChunks": {func(w http.ResponseWriter, _ *http.Request) {
			for _, part := range []string{"hel", "lo"} {
				io.WriteString(w, part)
				w.(http.Flusher).Flush()
			}
		}, "hello"},
		"ReadsALargeBody":  {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, big) }, big},
		"ReadsAnEmptyBody": {func(w http.ResponseWriter, _ *http.Request) {}, ""},
		"ReadsNoContent":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := serve(t, tc.handler).Raw(t.Context(), "GET", "/x")
			if err != nil || string(body) != tc.want {
				t.Fatalf("got %d bytes and %v, want %d bytes", len(body), err, len(tc.want))
			}
		})
	}
}

func TestClient_Do_Errors(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		code    provider.Code
		says    string
	}{
		"ReturnsTheDaemonsOwnError": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error":{"code":"unknown_provider","message":"no such provider: x","hint":"see status"}}`)
		}, provider.UnknownProvider, "no such provider: x"},
		"ReturnsACodeItDoesNotKnow": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, `{"error":{"code":"of_the_future","message":"new"}}`)
		}, "of_the_future", "new"},
		"NamesAStatusWithoutAnError": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "sorry", http.StatusBadGateway)
		}, provider.Internal, "502 Bad Gateway"},
		"RefusesAHugeHead": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Big", strings.Repeat("x", 64<<10))
		}, provider.DaemonUnreachable, "is not providerd"},
		"TellsABodyThatBreaksOff": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "short")
		}, provider.DaemonUnreachable, "closed the connection before its answer was complete"},
		"TellsChunksThatBreakOff": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, provider.DaemonUnreachable, "closed the connection before its answer was complete"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, tc.handler).Raw(t.Context(), "GET", "/x")
			if e := wantCode(t, err, tc.code); !strings.Contains(e.Message, tc.says) {
				t.Errorf("message %q does not say %q", e.Message, tc.says)
			}
		})
	}
}

func TestClient_Do_RefusesWhatIsNotTheProtocol(t *testing.T) {
	for name, reply := range map[string]string{
		"Garbage":          "SSH-2.0-OpenSSH_9.9\r\n",
		"HTTP10":           "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"BareNewlines":     "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"NoLength":         "HTTP/1.1 200 OK\r\n\r\nbody",
		"TwoLengths":       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
		"SignedLength":     "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
		"LengthAndChunked": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"OtherEncoding":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"Compressed":       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
		"FoldedHeader":     "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
		"Interim":          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"Upgrade":          "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"ChunkSizeNoHex":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"ChunkSizeHuge":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
		"ChunkTooLong":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
		"Trailer":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
		"LengthHuge":       "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serveBytes(t, reply).Raw(t.Context(), "GET", "/x")
			if e := wantCode(t, err, provider.DaemonUnreachable); !strings.Contains(e.Message, "is not providerd") {
				t.Errorf("message %q", e.Message)
			}
		})
	}
}

func TestClient_Do_ClosedWithoutAWord(t *testing.T) {
	_, err := serveBytes(t, "").Raw(t.Context(), "GET", "/x")
	wantCode(t, err, provider.DaemonUnreachable)
}

func TestClient_Do_RefusesARequestThatIsTwo(t *testing.T) {
	c := &client.Client{Socket: "/nowhere", DialPatience: -1}
	_, err := c.Raw(t.Context(), "GET", "/x HTTP/1.1\r\nX: y")
	wantCode(t, err, provider.BadRequest)
}

func TestClient_Do_RefusesAHeadThatTheDaemonWould(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := c.Raw(t.Context(), "GET", "/"+strings.Repeat("x", 15<<10)); err != nil {
		t.Error(err)
	}
	_, err := c.Raw(t.Context(), "GET", "/"+strings.Repeat("x", 16<<10))
	if e := wantCode(t, err, provider.TooLarge); e.Hint == "" {
		t.Errorf("no hint: %v", e)
	}
}

// silent is a daemon that accepts requests but does not answer.
func silent(t *testing.T) (c *client.Client, asked chan struct{}) {
	asked = make(chan struct{}, 1)
	return serve(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}), asked
}

func TestClient_Timeout(t *testing.T) {
	c, _ := silent(t)
	c.Timeout = 20 * time.Millisecond
	_, err := c.Daemon(t.Context())
	if e := wantCode(t, err, provider.TimedOut); e.Hint == "" {
		t.Error("no hint")
	}
}

func TestClient_Context(t *testing.T) {
	t.Run("Deadline", func(t *testing.T) {
		c, _ := silent(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := c.Daemon(ctx)
		wantCode(t, err, provider.TimedOut)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v does not wrap the context's error", err)
		}
	})
	t.Run("Cancel", func(t *testing.T) {
		c, asked := silent(t)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-asked; cancel() }()
		if _, err := c.Daemon(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestClient_Requests(t *testing.T) {
	age, wait, none := 1500*time.Millisecond, 3*time.Second, time.Duration(0)
	for want, ask := range map[string]func(context.Context, *client.Client) error{
		"GET /api/providers/status": func(ctx context.Context, c *client.Client) error {
			_, err := c.Status(ctx, client.StatusQuery{})
			return err
		},
		"GET /api/providers/status?max_age=1.5s&provider_id=a&provider_id=b%3Ac&wait=3s": func(ctx context.Context, c *client.Client) error {
			_, err := c.Status(ctx, client.StatusQuery{IDs: []string{"a", "b:c"}, MaxAge: &age, Wait: &wait})
			return err
		},
		"GET /api/providers/status?max_age=0s&wait=0s": func(ctx context.Context, c *client.Client) error {
			_, err := c.Status(ctx, client.StatusQuery{MaxAge: &none, Wait: &none})
			return err
		},
		"POST /api/providers/refresh?force=1&provider_id=a&wait=2s": func(ctx context.Context, c *client.Client) error {
			_, err := c.Refresh(ctx, client.RefreshQuery{IDs: []string{"a"}, Wait: 2 * time.Second, Force: true})
			return err
		},
		`POST /api/providers/refresh?force=1&wait=2s {"provider_id":["` + strings.Repeat("a", 9000) + `","b"]}`: func(ctx context.Context, c *client.Client) error {
			_, err := c.Refresh(ctx, client.RefreshQuery{IDs: []string{strings.Repeat("a", 9000), "b"}, Wait: 2 * time.Second, Force: true})
			return err
		},
		"GET /api/providers/a%2Fb%20c:d": func(ctx context.Context, c *client.Client) error {
			_, err := c.Provider(ctx, "a/b c:d")
			return err
		},
		"GET /api/providers/a/models": func(ctx context.Context, c *client.Client) error {
			_, err := c.Models(ctx, "a")
			return err
		},
		"GET /api/providers/a/diagnostics": func(ctx context.Context, c *client.Client) error {
			_, err := c.Diagnostics(ctx, "a")
			return err
		},
		"GET /api/providers/a/history": func(ctx context.Context, c *client.Client) error {
			_, err := c.History(ctx, "a")
			return err
		},
		"GET /api/providers/a/history?from=2026-01-02T03%3A04%3A05.000Z&step=1h": func(ctx context.Context, c *client.Client) error {
			_, err := c.HistoryOf(ctx, client.HistoryQuery{ID: "a", From: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Step: "1h"})
			return err
		},
		"GET /api/history?window=90d": func(ctx context.Context, c *client.Client) error {
			_, err := c.Histories(ctx, client.HistoryQuery{ID: "ignored", Window: 90 * 24 * time.Hour})
			return err
		},
		"GET /api/history?window=1h30m0s": func(ctx context.Context, c *client.Client) error {
			_, err := c.Histories(ctx, client.HistoryQuery{Window: 90 * time.Minute})
			return err
		},
		"POST /api/providers/a/pause": func(ctx context.Context, c *client.Client) error {
			_, err := c.Pause(ctx, "a")
			return err
		},
		"POST /api/providers/a/resume": func(ctx context.Context, c *client.Client) error {
			_, err := c.Resume(ctx, "a")
			return err
		},
		`POST /api/providers/a/report {"status":429,"retry_after":"60"}`: func(ctx context.Context, c *client.Client) error {
			_, err := c.Report(ctx, "a", provider.Report{Status: 429, RetryAfter: "60"})
			return err
		},
		"GET /api/daemon": func(ctx context.Context, c *client.Client) error {
			_, err := c.Daemon(ctx)
			return err
		},
		"POST /api/daemon/reload": func(ctx context.Context, c *client.Client) error {
			_, err := c.Reload(ctx)
			return err
		},
		`PUT /api/daemon/log-level {"level":"debug"}`: func(ctx context.Context, c *client.Client) error {
			_, err := c.SetLogLevel(ctx, "debug")
			return err
		},
	} {
		t.Run(want, func(t *testing.T) {
			got := make(chan string, 1)
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got <- strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body))
				io.WriteString(w, "{}")
			})
			if err := ask(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, <-got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClient_Refresh_ReturnsRowsBesideTheTimeout(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusGatewayTimeout)
		io.WriteString(w, `{"generation":7,"providers":[{"id":"a"}],"error":{"code":"timed_out","message":"too slow"}}`)
	})
	reply, err := c.Refresh(t.Context(), client.RefreshQuery{Wait: time.Second})
	wantCode(t, err, provider.TimedOut)
	if reply == nil || reply.Generation != 7 || len(reply.Providers) != 1 {
		t.Errorf("reply %+v", reply)
	}
}

func TestClient_Health_OfAnUnwellDaemonIsAnAnswer(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"status":"unwell","checks":{"store":"disk full"}}`)
	})
	health, err := c.Health(t.Context())
	if err != nil || health.Checks["store"] != "disk full" {
		t.Errorf("%+v, %v", health, err)
	}
}
