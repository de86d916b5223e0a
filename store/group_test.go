package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// A commit whose last sync fails has failed, but may be in the file nevertheless. Its events
// must not obstruct later commits.
func TestGroup_AppliesOverACommitThatFailedAndIsInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "providerd.db")
	if err := create(path, new(whole)); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	apply := func(base uint64, details ...string) *contents {
		t.Helper()
		g := newGroup()
		g.base, g.oldest, g.keep = base, 1, 100
		for _, detail := range details {
			g.add(provider.Event{ID: "a", Detail: detail}, g.keep)
		}
		if err := db.Update(g.apply); err != nil {
			t.Fatal(err)
		}
		found, err := load(db, path, metasOf(file))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	apply(0, "1", "2")
	apply(2, "failed 3", "failed 4", "failed 5")
	for _, c := range []struct {
		details []string
		want    string
	}{
		{[]string{"3", "4", "5", "6"}, "1 2 3 4 5 6"}, // the same again, and one more
		{[]string{"3"}, "1 2 3"},                      // the others were dropped since
	} {
		found, got := apply(2, c.details...), ""
		for i, e := range found.recent {
			if e.Seq != uint64(i+1) {
				t.Errorf("event %d has seq %d", i, e.Seq)
			}
			got += fmt.Sprint(" ", e.Detail)
		}
		if got != " "+c.want || found.newest != uint64(len(found.recent)) {
			t.Errorf("got%s up to %d, want %s", got, found.newest, c.want)
		}
	}
}
