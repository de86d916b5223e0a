package schedule

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/daemon/probe/atrest"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// TestScheduler_AtRest limits the memory of one more provider while nothing is in progress: its
// settings, what is known of it, its row and evidence, and both ends of its kept connection. The
// heap of a process is about twice that. After a restart it is not more.
func TestScheduler_AtRest(t *testing.T) {
	const providers = 300
	path := filepath.Join(t.TempDir(), "p.db")
	address := atrest.Serve(t, 2*providers, 3, 0, map[string]string{
		"/api/version": `{"version":"0.12.3"}`,
		"/api/tags":    `{"models":[{"name":"qwen3:8b","size":5225388164,"details":{"family":"qwen3","quantization_level":"Q4_K_M"}}]}`,
		"/api/ps":      `{"models":[]}`,
	})
	for _, name := range []string{"New", "Restarted"} {
		t.Run(name, func(t *testing.T) { atRest(t, path, address, providers) })
	}
}

// atRest checks the limit for providers at an address, with the database at path.
func atRest(t *testing.T, path, address string, providers int64) {
	const most, patience = 5<<10 + 512, 50
	list := make([]config.Provider, providers)
	for i := range list {
		list[i] = settings(fmt.Sprintf("ollama:%d", i))
		list[i].Kind, list[i].BaseURL, list[i].Endpoint = "ollama", "http://"+address, "http://"+address
		list[i].Interval, list[i].Timeout = time.Hour, time.Minute
		list[i].SlowAfter = time.Minute // they are served in turn, and one that is slow would be asked again at once
	}
	before := atrest.InUse()
	db, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	common := new(probe.Common)
	s := New(Options{Store: db, NewProber: func(p *config.Provider) (Prober, error) {
		return probe.New(p, probe.Options{Common: common})
	}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	if _, err := s.Apply(list); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	<-s.Swept()
	if err := db.SyncBarrier(ctx); err != nil { // what they are is on the disk, and published
		t.Fatal(err)
	}
	for i := range list {
		if st := db.View().Row(list[i].ID).Status; st.State != provider.StateRunning {
			t.Fatalf("%s is %s %s", st.ID, st.State, st.Reason)
		}
	}
	each := (atrest.InUse() - before) / providers
	for n := 0; each > most && n < patience; n++ { // the garbage of other tests may go down late
		each = min(each, (atrest.InUse()-before)/providers)
	}
	if t.Logf("%d bytes", each); each > most {
		t.Errorf("a provider takes %d bytes, want at most %d", each, most)
	}
}

// The allocator has few sizes above 512 bytes, and a header of 8 bytes: one more field in an entry
// or a row could cost each provider 64 bytes.
func TestScheduler_FitsTheAllocator(t *testing.T) {
	for _, tt := range []struct {
		name       string
		size, most uintptr
	}{
		{"entry", unsafe.Sizeof(entry{}), 704 - 8},
		{"store.Row", unsafe.Sizeof(store.Row{}), 576 - 8},
	} {
		if tt.size > tt.most {
			t.Errorf("%s has %d bytes, want at most %d", tt.name, tt.size, tt.most)
		}
	}
}
