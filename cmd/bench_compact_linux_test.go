package cmd_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// BenchmarkCompaction lets a daemon with 1,000 providers compact a database that has 55 MB
// in use and more than that free. It reports how long that takes, by how much the daemon's
// memory grows meanwhile, and what a reader of all rows waits for during the compaction and
// without it, in the same run.
func BenchmarkCompaction(b *testing.B) {
	var config strings.Builder
	config.WriteString("[defaults]\ninterval = \"10s\"\n")
	for i := range 1000 {
		fmt.Fprintf(&config, "[[provider]]\nid = \"p%d\"\nkind = \"ollama\"\nbase_url = \"http://%s\"\n", i, serveOllama(b))
	}
	var took, grew float64
	var during, without []time.Duration
	for b.Loop() {
		p := newProcess(b, config.String())
		p.level = "info"
		path := filepath.Join(p.dir, "state", "providerd.db")
		fillDatabase(b, path)
		cmd := p.start()
		p.until(func() bool { return p.unchecked() == 0 })
		compacts := func() bool { _, err := os.Lstat(path + ".compact"); return err == nil }
		rest := cmd.resident()
		for !compacts() {
			rest = cmd.resident()
			p.timedRead()
		}
		began, most := time.Now(), rest
		for compacts() {
			during = append(during, p.timedRead())
			most = max(most, cmd.resident())
		}
		span := time.Since(began)
		took, grew = took+span.Seconds(), grew+float64(most-rest)
		for end := time.Now().Add(span); time.Now().Before(end); {
			without = append(without, p.timedRead())
		}
		if !strings.Contains(p.log.String(), "the database was compacted") {
			b.Fatal("it was not compacted")
		}
		p.kill()
	}
	n := float64(b.N)
	b.ReportMetric(took/n, "s/compaction")
	b.ReportMetric(grew/n/(1<<20), "MiB-grown")
	for name, waits := range map[string][]time.Duration{"during": during, "without": without} {
		slices.Sort(waits)
		for _, share := range []int{50, 99} {
			b.ReportMetric(float64(waits[len(waits)*share/100].Microseconds())/1000, fmt.Sprintf("ms-p%d-%s", share, name))
		}
	}
}

// timedRead is how long a reader waits for all rows. It reads some hundred times a second.
func (p *process) timedRead() time.Duration {
	<-time.After(2 * time.Millisecond)
	began := time.Now()
	res, err := p.http.Get("http://localhost/api/providers/status")
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return time.Since(began)
}

// fillDatabase writes 10,000 events that have 55 MB together, and as many bytes in rows of
// providers that nobody knows, which the daemon removes.
func fillDatabase(b *testing.B, path string) {
	s, err := store.Open(path, store.Options{CompactFrom: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	now := provider.Time{Time: time.Now()}
	text := strings.Repeat("x", 5_400)
	for range 10_000 {
		s.Note(provider.Event{Time: now, ID: "removed", From: provider.StateUnknown, To: provider.StateUnknown, Detail: text})
	}
	fresh := make(map[string]store.Update)
	var ids []string
	for i := range 70 {
		id := fmt.Sprintf("removed%d", i)
		ids = append(ids, id)
		fresh[id] = store.Update{Status: provider.Status{ID: id, State: provider.StateUnknown, Detail: strings.Repeat(text, 200)}}
	}
	s.Configure(ids, fresh)
	if err := s.SyncBarrier(context.Background()); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
