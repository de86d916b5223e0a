package client_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// database is a file with these buckets, and some pages.
func database(t *testing.T, pageSize int, buckets ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			b, err := tx.CreateBucket([]byte(name))
			if err != nil {
				return err
			}
			for i := range 500 {
				if err := b.Put(fmt.Append(nil, i), bytes.Repeat([]byte("x"), 100)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

// sendFile answers as the daemon does, with any digest.
func sendFile(body []byte, digest string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.RequestURI != "/api/daemon/backup" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if digest != "" {
			w.Header().Set("Repr-Digest", digest)
		}
		w.Write(body)
	}
}

func digestOf(body []byte) string {
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	return "crc32c=:" + base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)) + ":"
}

func TestClient_Backup(t *testing.T) {
	for _, pageSize := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10} {
		whole := database(t, pageSize, "events", "meta", "rows", "later")
		for _, digest := range []string{"", digestOf(whole), "sha-256=:AAAA:, " + digestOf(whole)} { // an older daemon tells none
			var got bytes.Buffer
			n, err := serve(t, sendFile(whole, digest)).Backup(t.Context(), &got)
			if err != nil || n != int64(len(whole)) || !bytes.Equal(got.Bytes(), whole) {
				t.Errorf("pages of %d, %q: %d bytes of %d, %d arrived: %v", pageSize, digest, n, len(whole), got.Len(), err)
			}
		}
	}
}

// An incomplete backup is refused, and nothing is written if it does not even begin like one.
func TestClient_Backup_RefusesWhatIsNone(t *testing.T) {
	good := database(t, 4096, "events", "meta", "rows")
	changed := func(change func(body []byte)) []byte {
		body := slices.Clone(good)
		change(body)
		return body
	}
	// both changes a number in both meta pages, with a correct checksum.
	both := func(at int, value uint64) []byte {
		return changed(func(body []byte) {
			for _, meta := range [][]byte{body[16:80], body[4096+16 : 4096+80]} {
				binary.NativeEndian.PutUint64(meta[at:], value)
				sum := fnv.New64a()
				sum.Write(meta[:56])
				binary.NativeEndian.PutUint64(meta[56:], sum.Sum64())
			}
		})
	}
	root := int(max(metaAt(good, 0), metaAt(good, 4096)))
	for name, tc := range map[string]struct {
		body   []byte
		digest string
		says   string
		begins bool // it looks well at first
	}{
		"AnErrorPage":     {[]byte("<html>502 Bad Gateway</html>"), "", "ends within its first pages", false},
		"ALongErrorPage":  {[]byte("<html>" + strings.Repeat("502 Bad Gateway ", 10_000)), "", "not a bbolt file", false},
		"JSON":            {[]byte(`{"status":"ok","checks":{"store":"` + strings.Repeat("ok", 100) + `"}}`), "", "not a bbolt file", false},
		"Zeros":           {make([]byte, 200_000), "", "not a bbolt file", false},
		"OnePage":         {good[:4096], "", "ends within its first pages", false},
		"WithoutItsEnd":   {good[:len(good)/2], "", "should have", false},
		"AnotherVersion":  {changed(func(b []byte) { b[16+4] = 3 }), "", "version 3", false},
		"ABadFirstPage":   {changed(func(b []byte) { b[16+20]++ }), "", "checksum", false},
		"ABadSecondPage":  {changed(func(b []byte) { b[4096+16+20]++ }), "", "checksum", false},
		"PagesOfNothing":  {both(8, 0), "", "pages of 0 bytes", false},
		"PagesOfAnySize":  {both(8, 4097), "", "pages of 4097 bytes", false},
		"MoreBytes":       {append(slices.Clone(good), make([]byte, 65<<20)...), "", "should have", false},
		"MorePages":       {both(40, 1<<40), "", "should have", false},
		"ARootOutside":    {both(16, 1<<50), "", "root is outside", false},
		"ARootThatIsNone": {both(16, 1), "", "root is outside", false},
		"AnotherRoot":     {changed(func(b []byte) { clear(b[root*4096 : root*4096+16]) }), "", "root is damaged", true},
		"AnotherDatabase": {database(t, 4096, "accounts"), "", "no bucket meta", true},
		"HalfADatabase":   {database(t, 4096, "meta", "rows"), "", "no bucket events", true},
		"AnEmptyDatabase": {database(t, 4096), "", "no bucket meta", true},
		"AnotherByte":     {changed(func(b []byte) { b[len(b)-1]++ }), digestOf(good), "checksum does not match", true},
		"AnotherDigest":   {good, "crc32c=:AAAA:", "checksum does not match", true},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			_, err := serve(t, sendFile(tc.body, tc.digest)).Backup(t.Context(), &got)
			e := wantCode(t, err, provider.Internal)
			if !strings.Contains(e.Message, tc.says) || e.Hint == "" {
				t.Errorf("it says %q, %q", e.Message, e.Hint)
			}
			if (got.Len() > 0) != tc.begins {
				t.Errorf("%d bytes were written", got.Len())
			}
		})
	}
}

// metaAt is where a meta page says that the root is.
func metaAt(body []byte, page int) uint64 { return binary.NativeEndian.Uint64(body[page+16+16:]) }

func TestClient_Backup_Errors(t *testing.T) {
	good := database(t, 4096, "events", "meta", "rows")
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		code    provider.Code
	}{
		"CutShort": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(good)))
			w.Write(good[:len(good)-1])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, provider.DaemonUnreachable},
		"CutShortAtOnce": {func(w http.ResponseWriter, _ *http.Request) {
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
	c := serve(t, sendFile(database(t, 4096, "events", "meta", "rows"), ""))
	if _, err := c.Backup(t.Context(), fullDisk{full}); !errors.Is(err, full) {
		t.Error(err)
	}
}
