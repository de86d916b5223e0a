package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is the time of the entries in the tests' archives; without extra fields zip counts in
// steps of 2 s.
var at = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

// folder makes the folder to pack: the files in the given order, each with its mode.
func folder(t *testing.T, mtime time.Time, names ...string) string {
	t.Helper()
	top := filepath.Join(t.TempDir(), "providerd_1.2.3")
	for _, name := range names {
		name, executable := strings.CutSuffix(name, "*")
		path := filepath.Join(top, filepath.FromSlash(name))
		mode := os.FileMode(0o600)
		if executable {
			mode = 0o711
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, mtime, mtime); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

func packed(t *testing.T, format, folder string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a"+format)
	if err := create(name, folder, at); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCreate_SameBytes(t *testing.T) {
	for _, format := range []string{".tar.gz", ".zip"} {
		one := packed(t, format, folder(t, at.Add(time.Hour), "man/b.8", "providerd*", "man/a.1"))
		two := packed(t, format, folder(t, at.Add(-time.Hour), "providerd*", "man/a.1", "man/b.8"))
		if !bytes.Equal(one, two) {
			t.Errorf("%s: two archives of the same files differ", format)
		}
	}
}

func TestCreate_Entries(t *testing.T) {
	source := folder(t, at.Add(time.Hour), "providerd*", "man/a.1")
	executable := "-rwxr-xr-x"
	if info, err := os.Stat(filepath.Join(source, "providerd")); err != nil || info.Mode()&0o100 == 0 {
		executable = "-rw-r--r--" // this system has no such bit
	}
	want := []string{
		"drwxr-xr-x providerd_1.2.3/ ",
		"drwxr-xr-x providerd_1.2.3/man/ ",
		"-rw-r--r-- providerd_1.2.3/man/a.1 man/a.1",
		executable + " providerd_1.2.3/providerd providerd",
	}
	t.Run("TarGz", func(t *testing.T) {
		unpacked, err := gzip.NewReader(bytes.NewReader(packed(t, ".tar.gz", source)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		archive := tar.NewReader(unpacked)
		for h, err := archive.Next(); err != io.EOF; h, err = archive.Next() {
			if err != nil {
				t.Fatal(err)
			}
			content, _ := io.ReadAll(archive)
			got = append(got, h.FileInfo().Mode().String()+" "+h.Name+" "+string(content))
			if !h.ModTime.Equal(at) || h.Uid != 0 || h.Gid != 0 || h.Uname != "root" {
				t.Errorf("%s: of %v, %d:%d %s", h.Name, h.ModTime, h.Uid, h.Gid, h.Uname)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Zip", func(t *testing.T) {
		data := packed(t, ".zip", source)
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range archive.File {
			var content []byte
			if !f.Mode().IsDir() {
				r, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				content, _ = io.ReadAll(r)
			}
			got = append(got, f.Mode().String()+" "+f.Name+" "+string(content))
			if !f.Modified.Equal(at) {
				t.Errorf("%s: of %v", f.Name, f.Modified)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCreate_RefusesOtherNames(t *testing.T) {
	if err := create(filepath.Join(t.TempDir(), "a.rar"), t.TempDir(), at); err == nil {
		t.Error("a .rar is accepted")
	}
}
