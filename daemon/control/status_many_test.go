package control_test

import (
	"encoding/json"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

// manyRows are more than fit one piece of a reply.
func manyRows(n int) []provider.Status {
	rows := make([]provider.Status, n)
	for i := range rows {
		rows[i] = running("p" + strconv.Itoa(i))
		rows[i].Detail = strings.Repeat("x", i%700)
		rows[i].TTLMS = int64(20_000 - i)
	}
	return rows
}

func TestStatus_ManyRows(t *testing.T) {
	t.Parallel()
	rows := manyRows(3000)
	rows[7].CheckedAt.Time = time.Now().Add(-time.Hour)
	r := start(t, control.Options{}, rows...)
	some := "?provider_id=p2999"
	for i := 0; i < len(rows); i += 10 {
		some += "&provider_id=p" + strconv.Itoa(i)
	}
	for _, tt := range []struct {
		name, query string
		rows, stale int
	}{
		{"All", "", 3000, 1},
		{"AllAgain", "", 3000, 1},
		{"Some", some, 301, 0},
		{"OfWhichNoneIsTooOld", "?max_age=2h", 3000, 1},
		{"OfWhichOneIsTooOld", "?max_age=59m&wait=0s", 3000, 1},
		{"WhichAreAllTooOld", "?max_age=0s&wait=0s", 3000, 3000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := r.do("GET", "/api/providers/status"+tt.query, "")
			if resp.StatusCode != 200 || resp.ContentLength != int64(len(body)) {
				t.Fatalf("%s, and %d of %d bytes", resp.Status, len(body), resp.ContentLength)
			}
			got := decode[provider.StatusReply](t, body)
			stale := 0
			last := -1
			for _, row := range got.Providers {
				i, err := strconv.Atoi(row.ID[1:])
				if err != nil || i <= last || row.Detail != rows[i].Detail || row.AgeMS == nil {
					t.Fatalf("after row %d comes %+v", last, row)
				}
				last = i
				if row.Stale {
					stale++
				}
			}
			if len(got.Providers) != tt.rows || stale != tt.stale || got.CacheTTLMS != 20_000-int64(last) {
				t.Errorf("%d rows, %d of them stale, cache_ttl_ms %d", len(got.Providers), stale, got.CacheTTLMS)
			}
			head, none := r.do("HEAD", "/api/providers/status"+tt.query, "")
			if d := head.ContentLength - resp.ContentLength; d < -9000 || d > 9000 || none != "" { // ages
				t.Errorf("HEAD: length %d, a body of %d bytes", head.ContentLength, len(none))
			}
		})
	}
}

// Several clients read at once while rows change in length.
func TestStatus_ManyRowsWhileTheyChange(t *testing.T) {
	t.Parallel()
	rows := manyRows(1000)
	r := start(t, control.Options{}, rows...)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	defer func() { close(stop); readers.Wait() }()
	readers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			row := rows[i*617%len(rows)]
			row.CheckedAt.Time = time.Now()
			row.Detail = strings.Repeat("y", i%900)
			row.LastError = row.Detail
			r.put(row, nil)
		}
	})
	var replies sync.WaitGroup
	for range 4 {
		replies.Go(func() {
			for range 8 {
				resp, err := r.client.Get("http://localhost/api/providers/status")
				if err != nil {
					t.Error(err)
					return
				}
				var got provider.StatusReply
				err = json.NewDecoder(resp.Body).Decode(&got)
				resp.Body.Close()
				if err != nil || len(got.Providers) != len(rows) {
					t.Errorf("%d rows, %v", len(got.Providers), err)
					return
				}
				for i, row := range got.Providers {
					if row.ID != rows[i].ID || row.Detail != rows[i].Detail && row.Detail != row.LastError {
						t.Errorf("row %d is %+v", i, row)
						return
					}
				}
			}
		})
	}
	replies.Wait()
}

// Readers that do not read hold all listings that are kept for reuse.
func TestStatus_ReadersThatAreSlowHoldUpNobody(t *testing.T) {
	t.Parallel()
	rows := manyRows(1500)
	r := start(t, control.Options{}, rows...)
	for free := true; free; {
		nc, err := net.Dial("unix", r.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, "GET /api/providers/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if _, err := nc.Read(make([]byte, 1)); err != nil { // its reply has begun, and does not fit the socket
			t.Fatal(err)
		}
		l := r.store.View().Listing(time.Now())
		if free = l != nil; free {
			l.Free()
		}
	}
	for range 3 {
		got := want[provider.StatusReply](r, "GET", "/api/providers/status", 200)
		if len(got.Providers) != len(rows) || got.CacheTTLMS != rows[len(rows)-1].TTLMS || got.Providers[1499].Detail != rows[1499].Detail {
			t.Errorf("%d rows, cache_ttl_ms %d", len(got.Providers), got.CacheTTLMS)
		}
	}
}
