package ctl_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

const backupRequest = "GET /api/daemon/backup"

// mustHold checks a folder's only file; an empty text means that there is none.
func mustHold(t *testing.T, dir, name, text string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if text == "" {
		if len(files) != 0 {
			t.Errorf("left behind: %v", files)
		}
		return
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || string(data) != text || len(files) != 1 {
		t.Errorf("in the file: %q (%v); in the folder: %v", data, err, files)
	}
}

// database is a database of the least size, which has the text in it.
func database(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 1024})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range []string{"meta", "rows", "events"} {
			b, err := tx.CreateBucket([]byte(name))
			if err == nil {
				err = b.Put([]byte("text"), []byte(text))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(whole)
}

func TestBackup_WritesTheFileWhole(t *testing.T) {
	first, second := database(t, "first"), database(t, "second")
	d := startDaemon(t, map[string][]reply{backupRequest: {ok(first), ok(second)}})
	dir := t.TempDir()
	file := filepath.Join(dir, "providerd.db")
	d.run(t, "backup", file).want(t, 0, "", "backed up the database to "+file+": 33 kB\n")
	mustHold(t, dir, "providerd.db", first)
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode() != fs.FileMode(0o600) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	nowhere := filepath.Join(dir, "no", "such")
	d.run(t, "backup", filepath.Join(nowhere, "x")).want(t, 1, "", "providerctl: backup: cannot write to "+nowhere+": ")
	d.run(t, "backup", filepath.Join(nowhere, "x")).want(t, 1, "", "hint: create the folder, or name another: mkdir -p "+nowhere+"\n")
	d.run(t, "backup", file).want(t, 2, "", "providerd.db already exists\nproviderctl: hint: name another file, or replace it: providerctl backup --force ")
	mustHold(t, dir, "providerd.db", first)
	d.run(t, "backup", "--force", file).want(t, 0, "", "backed up")
	mustHold(t, dir, "providerd.db", second)
}

func TestBackup_Fails(t *testing.T) {
	for name, tc := range map[string]struct {
		reply reply
		code  int
		says  string
	}{
		"Denied": {refused(403, `{"error":{"code":"denied","message":"not yours","hint":"sudo providerctl backup FILE"}}`), 4, "hint: sudo providerctl backup FILE"},
		"Full":   {refused(503, `{"error":{"code":"store_failing","message":"no space left","hint":"free some"}}`), 1, "no space left"},
		"Empty":  {ok(""), 3, "without a length"},
		"Page":   {ok("<html>not found</html>"), 1, "what the daemon sent is not a complete backup: it ends within its first pages\n"},
		"Other":  {ok(strings.ReplaceAll(database(t, ""), "rows", "cows")), 1, "it is not a database of providerd: it has no bucket rows\n"},
		"Half":   {ok(database(t, "")[:3000]), 1, "not a complete backup: it has 3000 bytes, and should have "},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemon(t, map[string][]reply{backupRequest: {tc.reply}})
			dir := t.TempDir()
			d.run(t, "backup", filepath.Join(dir, "b")).want(t, tc.code, "", tc.says)
			mustHold(t, dir, "", "")
			if r := d.run(t, "backup", "-"); r.code != tc.code || !strings.Contains(r.err, tc.says) {
				t.Errorf("to stdout: %d, %s", r.code, r.err)
			}
			if err := os.WriteFile(filepath.Join(dir, "b"), []byte("the last one"), 0o600); err != nil {
				t.Fatal(err)
			}
			d.run(t, "backup", "--force", filepath.Join(dir, "b")).want(t, tc.code, "", tc.says)
			mustHold(t, dir, "b", "the last one")
		})
	}
}

func TestBackup_RefusesWhatIsNoFile(t *testing.T) {
	d := startDaemon(t, nil)
	dir := t.TempDir()
	d.run(t, "backup").want(t, 2, "", "an argument is missing")
	d.run(t, "backup", dir, "--force").want(t, 2, "", "is a folder")
	d.run(t, "backup", filepath.Join(dir, "none", "b")).want(t, 1, "", "none")
	if runtime.GOOS != "windows" {
		d.run(t, "backup", os.DevNull, "--force").want(t, 2, "", "is not a plain file")
	}
	if asked := d.requests(); len(asked) != 0 {
		t.Errorf("asked: %v", asked)
	}
}

func TestBackup_ToStdout(t *testing.T) {
	whole := database(t, "all of it")
	d := startDaemon(t, map[string][]reply{backupRequest: {ok(whole)}})
	d.run(t, "backup", "-").want(t, 0, whole, "backed up the database: 33 kB\n")
}
