package examine

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// Of a daemon that accepts and does not answer, it is told who it is, and the rest is
// looked at all the same.
func TestFacts_OfADaemonThatHangs(t *testing.T) {
	dir, err := os.MkdirTemp("", "ex")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path) // the kernel accepts for it
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &Scene{
		Client: &client.Client{Socket: path}, Getenv: func(string) string { return "" }, Version: "test", Now: time.Now,
		run: func(context.Context, string, ...string) (string, string, int, error) {
			return "", "", -1, errors.New("no such program")
		},
		patience: 50 * time.Millisecond,
	}
	f := s.Facts(t.Context())
	if f.Info != nil || f.InfoErr == nil || f.InfoErr.Code != provider.TimedOut {
		t.Fatalf("%+v, %v", f.Info, f.InfoErr)
	}
	if len(f.Places) != 1 || f.Places[0].Err != nil || f.Places[0].PID != os.Getpid() || f.Places[0].UID != os.Getuid() {
		t.Errorf("places %+v", f.Places)
	}
	if !f.Disk.Known && f.Disk.Folder != "" || !f.Clock.Known {
		t.Errorf("the disk is %+v, the clock %+v", f.Disk, f.Clock)
	}
	l.Close()
	if f := s.Facts(t.Context()); f.InfoErr == nil || f.InfoErr.Code != provider.DaemonUnreachable || !f.Places[0].Absent {
		t.Errorf("after its end: %v, %+v", f.InfoErr, f.Places)
	}
}
