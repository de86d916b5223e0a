package control_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/store/provider"
)

// as runs dial on a new thread that has become another user, so that the kernel reports that
// user as the peer.
func as(t *testing.T, uid, gid uint32, groups []uint32, dial func() (net.Conn, error)) net.Conn {
	t.Helper()
	type result struct {
		nc  net.Conn
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		var first unsafe.Pointer
		if len(groups) > 0 {
			first = unsafe.Pointer(&groups[0])
		}
		// The raw calls change this thread alone; those of package syscall
		// change every thread.
		for _, call := range [][4]uintptr{
			{unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(first)},
			{unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)},
			{unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)},
		} {
			if _, _, errno := unix.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
				done <- result{nil, errno}
				return
			}
		}
		nc, err := dial()
		done <- result{nc, err}
	}()
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.nc.Close() })
	return r.nc
}

func TestAccess_OverTheSocket(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	many := make([]uint32, 100) // more groups than are asked for at first
	for i := range many {
		many[i] = uint32(70_000 + i)
	}
	many[99] = 60_050
	r := start(t, control.Options{Admin: &control.Group{Name: "providerd", GID: 60_050}, MaxConnsPerUser: 3}, running("a"))
	for _, dir := range []string{filepath.Dir(r.socket), filepath.Dir(filepath.Dir(r.socket))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dial := func() (net.Conn, error) { return net.Dial("unix", r.socket) }
	for _, tt := range []struct {
		name, request string
		uid, gid      uint32
		groups        []uint32
		status        string
		says          string // in its message and hint
	}{
		{"AnybodyReads", "GET /api/providers/status", 65_534, 65_534, nil, "200", ""},
		{"AnybodyRefreshes", "POST /api/providers/refresh", 65_534, 65_534, nil, "202", ""},
		{"AnybodyFollowsEvents", "GET /api/events", 65_534, 65_534, nil, "200", ""},
		{"NotEverybodyPauses", "POST /api/providers/a/pause", 65_534, 65_534, []uint32{1, 2}, "403", `may not pause a","hint":"sudo providerctl pause a;`},
		{"NotEverybodyReloads", "POST /api/daemon/reload", 65_534, 65_534, nil, "403", `may not reload the configuration","hint":"sudo providerctl reload;`},
		{"NotEverybodyBacksUp", "GET /api/daemon/backup", 65_534, 65_534, nil, "403", `may not back up the database","hint":"sudo providerctl backup FILE;`},
		{"NotEverybodySetsTheLevel", "PUT /api/daemon/log-level {\"level\":\"debug\"}", 65_534, 65_534, nil, "403",
			`may not change the log level","hint":"sudo providerctl log-level debug;`},
		{"NobodyIsToldToTypeNonsense", "PUT /api/daemon/log-level {\"level\":\";rm\"}", 65_534, 65_534, nil, "403", "sudo providerctl log-level LEVEL;"},
		{"EverybodyReports", "POST /api/providers/a/report {\"status\":429,\"retry_after\":\"60\"}", 65_534, 65_534, nil, "200",
			"by uid 65534, who is no administrator"},
		{"AnotherReportsMeanwhile", "POST /api/providers/a/report {\"error\":\"timeout\"}", 65_533, 65_534, nil, "200", "by uid 65533, who is no administrator"},
		{"NotEverybodyReadsTheConfiguration", "GET /api/daemon/config", 65_534, 65_534, nil, "403", `may not read the configuration","hint":"sudo providerd config show --running;`},
		{"NotEverybodyReadsTheLog", "GET /api/daemon/log", 65_534, 65_534, nil, "403", `may not read the log","hint":"sudo providerctl logs;`},
		{"TheGroupPauses", "POST /api/providers/a/pause", 65_534, 60_050, nil, "200", ""},
		{"TheGroupReports", "POST /api/providers/a/report {\"status\":429,\"retry_after\":\"Fri, 02 Jan 2026 03:05:05 GMT\"}", 65_534, 60_050, nil, "200", "by uid 65534"},
		{"TheSupplementaryGroupResumes", "POST /api/providers/a/resume", 65_534, 65_534, many, "200", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc := as(t, tt.uid, tt.gid, tt.groups, dial)
			defer nc.Close()
			reply := exchange(t, nc, tt.request)
			if !strings.HasPrefix(reply, "HTTP/1.1 "+tt.status) {
				t.Errorf("got %s", reply)
			}
			if !strings.Contains(reply, tt.says) {
				t.Errorf("does not say %s: %s", tt.says, reply)
			}
		})
	}
	t.Run("OneReportASecondOfEachUser", func(t *testing.T) {
		for try := 0; ; try++ { // a busy machine may take longer for one than that
			reply := exchange(t, as(t, 65_532, 65_532, nil, dial), "POST /api/providers/a/report {\"error\":\"timeout\"}")
			if strings.HasPrefix(reply, "HTTP/1.1 503") && strings.Contains(reply, `"code":"too_many","message":"one report a second`) {
				return
			}
			if try == 100 {
				t.Fatal("a hundred reports in a row are taken")
			}
		}
	})
	t.Run("DenialsAreCounted", func(t *testing.T) {
		if n := want[provider.DaemonInfo](r, "GET", "/api/daemon", 200).Counters.Denied; n != 7 {
			t.Errorf("%d, want 7", n)
		}
	})
	t.Run("ChangesAreLoggedWithWhoAsked", func(t *testing.T) {
		lines, _ := r.lines.Tail(1000)
		logged := 0
		for _, l := range lines {
			if l.Message == "paused provider: a" || l.Message == "accepted report on provider: a" {
				logged++
				if l.Fields["uid"] != uint64(65_534) || l.Fields["gid"] != uint64(60_050) || l.Fields["pid"] != int64(os.Getpid()) {
					t.Errorf("fields %v", l.Fields)
				}
				if what := l.Fields["report"]; what != nil && what != `--status 429 --retry-after "Fri, 02 Jan 2026 03:05:05 GMT"` {
					t.Errorf("report %v", what)
				}
			}
		}
		if logged != 2 {
			t.Errorf("%d changes are logged, want 2", logged)
		}
	})
	t.Run("OneUserCannotTakeAllPlaces", func(t *testing.T) {
		for range 3 {
			if status := statusOf(t, as(t, 60_001, 60_001, nil, dial)); status != 200 {
				t.Fatalf("status %d", status)
			}
		}
		if status := statusOf(t, as(t, 60_001, 60_001, nil, dial)); status != 503 {
			t.Errorf("the fourth connection: %d, want 503", status)
		}
		if status := statusOf(t, as(t, 60_002, 60_002, nil, dial)); status != 200 {
			t.Errorf("another user: %d", status)
		}
	})
}

// exchange sends a request, whose body may follow the path, and returns the reply.
func exchange(t *testing.T, nc net.Conn, request string) string {
	t.Helper()
	line, body, _ := strings.Cut(request, " {")
	if body != "" {
		body = "{" + body
	}
	if _, err := fmt.Fprintf(nc, "%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", line, len(body), body); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 8<<10)
	n, err := nc.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}
