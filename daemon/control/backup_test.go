package control_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// large are rows that do not fit a socket's buffer.
func large() (rows []provider.Status) {
	for i := range 100 {
		row := running(fmt.Sprint("p", i))
		row.Detail = strings.Repeat("long ", 4000)
		rows = append(rows, row)
	}
	return rows
}

// startLarge starts a server whose database has them on the disk.
func startLarge(t *testing.T, o control.Options) *rig {
	t.Helper()
	r := start(t, o, large()...)
	next := r.store.NextEvents()
	row := r.store.View().At(0).Status
	r.put(row, &provider.Event{ID: row.ID, From: provider.StateUnknown, To: row.State})
	<-next // and with it what was configured before
	return r
}

func TestBackup_OpensAsADatabase(t *testing.T) {
	r := startLarge(t, control.Options{})
	resp, body := r.do("GET", "/api/daemon/backup", "")
	if resp.StatusCode != 200 || resp.ContentLength != int64(len(body)) || resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("%d, %v, %d bytes", resp.StatusCode, resp.Header, len(body))
	}
	sum := sha256.Sum256([]byte(body))
	if want := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":, crc32c=:"; !strings.HasPrefix(resp.Header.Get("Repr-Digest"), want) {
		t.Errorf("the digest is %s, want %s", resp.Header.Get("Repr-Digest"), want)
	}
	path := filepath.Join(t.TempDir(), "providerd.db")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	var received strings.Builder
	c := &client.Client{Socket: r.socket} // which looks at the other one
	if n, err := c.Backup(t.Context(), &received); err != nil || n != int64(received.Len()) || n < 1<<20 {
		t.Errorf("the client received %d bytes: %v", n, err)
	}
	copied, err := store.Open(path, store.Options{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if err := copied.Check(t.Context()); err != nil || len(copied.Restored()) != 100 {
		t.Errorf("%d rows of 100, %v", len(copied.Restored()), err)
	}
	if !r.logged("backup requested") {
		t.Error("nothing is logged")
	}
}

// beginBackup asks for a backup and only reads the header of the reply.
func (r *rig) beginBackup() *http.Response {
	r.t.Helper()
	nc, err := net.Dial("unix", r.socket)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { nc.Close() })
	io.WriteString(nc, "GET /api/daemon/backup HTTP/1.1\r\nHost: localhost\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || resp.StatusCode != 200 {
		r.t.Fatal(resp, err)
	}
	return resp
}

// There is one backup at a time, and changes do not wait for it.
func TestBackup_OneAtATime(t *testing.T) {
	r := startLarge(t, control.Options{SlowAfter: time.Minute})
	resp := r.beginBackup()
	second := want[provider.ErrorReply](r, "GET", "/api/daemon/backup", 503)
	if second.Error.Code != provider.TooMany || second.Error.Hint == "" {
		t.Errorf("a second one beside it: %+v", second.Error)
	}
	next := r.store.NextEvents()
	row := r.store.View().At(0).Status
	r.put(row, &provider.Event{ID: row.ID, From: row.State, To: provider.StateError})
	<-next
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != resp.ContentLength {
		t.Errorf("the first: %d bytes of %d, %v", n, resp.ContentLength, err)
	}
	r.awaitBackup()
}

// A client that does not read is disconnected, and sees that its copy is incomplete.
func TestBackup_SlowReader(t *testing.T) {
	r := startLarge(t, control.Options{SlowAfter: 100 * time.Millisecond})
	resp := r.beginBackup()
	r.awaitBackup()
	if n, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the reader sees nothing of it: %d bytes of %d, %v", n, resp.ContentLength, err)
	}
}

// awaitBackup waits until a backup is possible.
func (r *rig) awaitBackup() {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		if resp, _ := r.do("HEAD", "/api/daemon/backup", ""); resp.StatusCode == 200 {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatal("the one before never ends")
		}
	}
}
