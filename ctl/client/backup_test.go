package client_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestClient_Backup(t *testing.T) {
	whole := strings.Repeat("0123456789abcdef", 20_000)
	var got bytes.Buffer
	n, err := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.RequestURI != "/api/daemon/backup" {
			http.NotFound(w, r)
		}
		w.Header().Set("Content-Length", "320000")
		io.WriteString(w, whole)
	}).Backup(t.Context(), &got)
	if err != nil || n != 320_000 || got.String() != whole {
		t.Errorf("%d bytes, %d arrived: %v", n, got.Len(), err)
	}
}

func TestClient_Backup_Errors(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		code    provider.Code
	}{
		"CutShort": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, provider.DaemonUnreachable},
		"WithoutALength": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
		}, provider.DaemonUnreachable},
		"Empty": {func(http.ResponseWriter, *http.Request) {}, provider.DaemonUnreachable},
		"Refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, `{"error":{"code":"too_many","message":"another backup is under way"}}`)
		}, provider.TooMany},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			_, err := serve(t, tc.handler).Backup(t.Context(), &got)
			wantCode(t, err, tc.code)
			if name == "Refused" && got.Len() != 0 {
				t.Errorf("written: %s", &got)
			}
		})
	}
}

type fullDisk struct{ error }

func (d fullDisk) Write([]byte) (int, error) { return 0, d.error }

func TestClient_Backup_ReturnsTheWritersError(t *testing.T) {
	full := errors.New("no space left")
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "data") })
	if _, err := c.Backup(t.Context(), fullDisk{full}); !errors.Is(err, full) {
		t.Error(err)
	}
}
