package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/providerd/providerd/store"
)

// The mark of how far the database has come can be damaged like anything else. No damaged
// byte of it makes an intact database look like one that clients have not seen.
func TestOpen_AMarkThatRotted(t *testing.T) {
	path, o := filepath.Join(t.TempDir(), "p.db"), store.Options{Twin: filepath.Join(t.TempDir(), "s.mark")}
	seen := aLife(t, path, o, 3)
	for _, name := range []string{path + ".owner", o.Twin} {
		well := mustRead(t, name)
		for at := range well {
			for _, bit := range []byte{1, 8} {
				text := append([]byte(nil), well...)
				text[at] ^= bit
				if err := os.WriteFile(name, text, 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := store.Open(path, o)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Events(seen.newest, 0); err != nil {
					t.Fatalf("%s in %s: after event %d: %v", text, filepath.Base(name), seen.newest, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// A mark in memory that was removed, for example with the folder of the socket, is made again.
func TestStore_MarkIsMadeAnew(t *testing.T) {
	disk, memory, before := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "before")
	path, o := filepath.Join(disk, "p.db"), store.Options{Twin: filepath.Join(memory, "folder", "s.mark")}
	folder := filepath.Dir(o.Twin)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	aLife(t, path, o, 3)
	if err := os.CopyFS(before, os.DirFS(disk)); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() error{
		func() error { return os.RemoveAll(folder) },
		func() error { return os.Mkdir(folder, 0o700) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		mustWork(t, s)
	}
	seen := s.View().Seq()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The disk confirmed what it then lost: in place, so that the file stays the same.
	for _, name := range []string{"p.db", "p.db.owner"} {
		if err := os.WriteFile(filepath.Join(disk, name), mustRead(t, filepath.Join(before, name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err = store.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Events(seen, 0); !isGone(err) {
		t.Errorf("after event %d: %v, want events_gone", seen, err)
	}
	if again := s.View().Seq(); again <= seen {
		t.Errorf("events go on from %d, after %d was seen", again, seen)
	}
}

// If a link is in the place of the folder, nothing is created where it points.
func TestStore_MarkIsNotMadeThroughALink(t *testing.T) {
	outside, link := t.TempDir(), filepath.Join(t.TempDir(), "run")
	if err := os.Symlink(outside, link); err != nil {
		t.Skip(err)
	}
	aLife(t, filepath.Join(t.TempDir(), "p.db"), store.Options{Twin: filepath.Join(link, "s.mark")}, 3)
	if found, err := os.ReadDir(outside); err != nil || len(found) > 0 {
		t.Errorf("outside is %v (%v)", found, err)
	}
}
