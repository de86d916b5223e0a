package store_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// The file stays out of this process's memory, however much of it is written and read.
func TestStore_KeepsTheFileOutOfMemory(t *testing.T) {
	const providers, most = 2000, 256 << 10
	path := newPath(t)
	all := ids(providers)
	s := configured(t, path, store.Options{}, all...)
	for i, id := range all {
		s.Put(change(id, provider.StateRunning, strings.Repeat("x", 200)))
		if i%500 == 499 {
			flush(t, s, id)
		}
	}
	if size := s.Stats().Bytes; size < 4*most {
		t.Fatalf("a file of %d bytes shows nothing", size)
	}
	if got := mapped(t, path); got > most {
		t.Errorf("after the commits, %d bytes of the file are in memory, want at most %d", got, most)
	}
	if past, err := s.EventsOf("p0"); err != nil || len(past.Events) != 1 {
		t.Fatalf("%d events, %v", len(past.Events), err)
	}
	if got := mapped(t, path); got > most {
		t.Errorf("after a look at all events, %d bytes of the file are in memory, want at most %d", got, most)
	}
}

// flush waits until a change is on the disk.
func flush(t *testing.T, s *store.Store, id string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); s.Waiting(id); {
		changed := s.Changed(id)
		if !s.Waiting(id) {
			return
		}
		select {
		case <-changed:
		case <-time.After(time.Until(end)):
			t.Fatal("a change does not get to the disk")
		}
	}
}

// mapped is how much of a file is in this process's memory, in bytes: proc_pid_smaps(5).
func mapped(t *testing.T, path string) (n int) {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	inside := false
	for line := range strings.Lines(string(smaps)) {
		fields := strings.Fields(line)
		if !strings.HasSuffix(fields[0], ":") {
			inside = strings.HasSuffix(line, path+"\n")
		}
		if inside && fields[0] == "Rss:" {
			kib, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(fmt.Errorf("read %q: %w", line, err))
			}
			n += kib << 10
		}
	}
	return n
}
