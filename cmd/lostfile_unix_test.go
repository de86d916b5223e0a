//go:build unix

package cmd_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A switchable is a provider that works until it is switched off.
func switchable(t *testing.T) (config string, ill *atomic.Bool) {
	ill = new(atomic.Bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ill.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	return patiently + fmt.Sprintf("interval = \"1s\"\nfall = 1\n[[provider]]\nid = \"web\"\nkind = \"http\"\nbase_url = %q\n", server.URL), ill
}

func (p *process) state() provider.State {
	var row provider.Status
	p.do("GET", "/api/providers/web", &row)
	return row.State
}

func (p *process) seq() uint64 {
	var info provider.DaemonInfo
	p.do("GET", "/api/daemon", &info)
	return info.Seq
}

// endsBySignal sends SIGTERM and returns how the daemon ended.
func (p *process) endsBySignal() error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return p.ends()
}

func (p *process) ends() error {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(time.Minute):
		p.t.Fatal("it does not end")
		return nil
	}
}

// The file of a running daemon is truncated, deleted, moved or replaced, and a reader of
// the history is the first to notice: a change is still committed, health reports the
// problem, SIGTERM is obeyed, and after a restart everything is there.
func TestPromise4_TheFileIsLostWhileItRuns(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(path string) error{
		"CutToNothing":  func(path string) error { return os.Truncate(path, 0) },
		"CutToOnePage":  func(path string) error { return os.Truncate(path, int64(os.Getpagesize())) },
		"CutToTwoPages": func(path string) error { return os.Truncate(path, int64(2*os.Getpagesize())) },
		"Deleted":       os.Remove,
		"FolderMoved":   func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+"-old") },
		"ReplacedByText": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("mine\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, ill := switchable(t)
			p := newProcess(t, config).start()
			database := filepath.Join(p.dir, "state", "providerd.db")
			p.until(func() bool { return p.state() == provider.StateRunning })
			before := p.seq()

			if err := do(database); err != nil {
				t.Fatal(err)
			}
			var history provider.HistoryReply
			if status := p.do("GET", "/api/providers/web/history", &history); status != http.StatusOK || len(history.Transitions) == 0 {
				t.Errorf("history: %d, %+v", status, history)
			}
			ill.Store(true)
			p.until(func() bool { return p.state() == provider.StateDegraded })
			p.until(func() bool { return p.do("GET", "/healthz", nil) == http.StatusOK })
			after := p.seq()
			if after <= before || !strings.Contains(p.log.String(), "wrote a new database file") {
				t.Errorf("event %d after %d, and the log is\n%s", after, before, p.log)
			}
			if err := p.endsBySignal(); err != nil {
				t.Errorf("it ended with %v", err)
			}
			events := checkDatabase(t, database)
			if last := newestOf(events); last < after || events[0].Seq > before {
				t.Errorf("events %d to %d are kept, and %d to %d were seen", events[0].Seq, last, before, after)
			}
		})
	}
}

// While there is nowhere to write, health says so, reads still work, and the daemon ends
// when asked, with an error that says what it could not save.
func TestPromise9_NowhereToWrite(t *testing.T) {
	t.Parallel()
	config, ill := switchable(t)
	p := newProcess(t, config).start()
	dir := filepath.Join(p.dir, "state")
	p.until(func() bool { return p.state() == provider.StateRunning })
	if err := errors.Join(os.Rename(dir, dir+"-old"), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	ill.Store(true)
	var health provider.Health
	p.until(func() bool { return p.do("GET", "/healthz", &health) == http.StatusServiceUnavailable })
	if !strings.Contains(health.Checks["store"], "moved or deleted") {
		t.Errorf("health says %+v", health)
	}
	if got := p.state(); got != provider.StateRunning {
		t.Errorf("shown though not saved: %s", got)
	}
	p.until(func() bool { return strings.Contains(p.log.String(), "the database cannot be written") })
	if err := p.endsBySignal(); err == nil || !strings.Contains(p.log.String(), "commit to") {
		t.Errorf("it ended with %v", err)
	}
}

// There is one daemon for a path: if the folder of the first is gone and a second starts
// there, the first ends by itself and names the second.
func TestStart_ASecondOnTheSamePath(t *testing.T) {
	t.Parallel()
	config, _ := switchable(t)
	p := newProcess(t, config).start()
	p.until(func() bool { return p.state() == provider.StateRunning })
	dir := filepath.Join(p.dir, "state")
	if err := os.Rename(dir, dir+"-old"); err != nil {
		t.Fatal(err)
	}
	other, err := store.Open(filepath.Join(dir, "providerd.db"), store.Options{Owner: store.Owner{PID: 4242, Socket: "/other"}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := p.ends(); err == nil || !strings.Contains(p.log.String(), "pid 4242") {
		t.Errorf("it ended with %v", err)
	}
	if v := other.View(); v.Len() != 0 {
		t.Errorf("%d rows are in the other's database", v.Len())
	}
}
