package store

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Every way in which a file system refuses is named for what it is, with what to do.
func TestOpenError_NamesWhatRefuses(t *testing.T) {
	for _, tt := range []struct {
		op   string
		err  error
		says string
	}{
		{"lock the database", fmt.Errorf("flock /d/providerd.db: %w", syscall.ENOLCK), "has no file locks"},
		{"lock the database", fmt.Errorf("flock /d/providerd.db: %w", syscall.EOPNOTSUPP), "has no file locks"},
		{"lock the database", fmt.Errorf("flock /d/providerd.db: %w", syscall.ENOSYS), "has no file locks"},
		{"open the database", syscall.ENODEV, "cannot map files into memory"},
		{"open the database", syscall.EINVAL, "cannot map files into memory"},
		{"open the database", syscall.ENOMEM, "ulimit -v"},
		{"open the database", &fs.PathError{Op: "open", Path: "/d/providerd.db", Err: syscall.EMFILE}, "ulimit -n"},
		{"open the database", &fs.PathError{Op: "open", Path: "/d/providerd.db", Err: syscall.ENFILE}, "ulimit -n"},
		{"create the database", &fs.PathError{Op: "open", Path: "/d/providerd.db.new", Err: syscall.EROFS}, "mounted read-only"},
		{"create the database", &fs.PathError{Op: "write", Path: "/d/providerd.db.new", Err: syscall.ENOSPC}, "free some space"},
		{"create the database", &fs.PathError{Op: "write", Path: "/d/providerd.db.new", Err: syscall.EDQUOT}, "quota"},
		{"create the database", &fs.PathError{Op: "write", Path: "/d/providerd.db.new", Err: syscall.EFBIG}, "ulimit -f"},
		{"create the database", &fs.PathError{Op: "open", Path: "/d/providerd.db.new", Err: syscall.EACCES}, "the right to write"},
		{"create the database", &fs.PathError{Op: "open", Path: "/d/providerd.db.new", Err: syscall.EPERM}, "chattr -i"},
		{"copy the database", &fs.PathError{Op: "read", Path: "/d/providerd.db", Err: syscall.EIO}, "dmesg"},
		{"open the database", &fs.PathError{Op: "open", Path: "/d/providerd.db", Err: syscall.ESTALE}, "mount it again"},
		{"open the database", &fs.PathError{Op: "open", Path: "/d/providerd.db", Err: syscall.ENOTCONN}, "mount it again"},
		{"create the folder of the database", &fs.PathError{Op: "mkdir", Path: "/d", Err: syscall.ENOTDIR}, "a file, not a folder"},
	} {
		e := &OpenError{Op: tt.op, Path: "/d/providerd.db", Err: tt.err}
		if hint := e.Hint(); !strings.Contains(hint, tt.says) || strings.Contains(hint, "--state-dir DIR") == strings.Contains(tt.says, "ulimit") || strings.Contains(hint, "FOLDER") {
			t.Errorf("%s: the hint is %q, want one that says %q", e, hint, tt.says)
		}
	}
}

// If the daemon that holds the database has lost its socket, the hint says that the socket
// comes back, and does not suggest using it.
func TestHeldError_WhoseSocketIsGone(t *testing.T) {
	socket := t.TempDir() + "/s"
	e := &HeldError{Path: "/d/providerd.db", Owner: Owner{PID: os.Getpid(), Socket: socket}}
	if hint := e.Hint(); !strings.Contains(hint, "its socket is gone") || !strings.Contains(hint, socket) {
		t.Errorf("the hint is %q", hint)
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if hint := e.Hint(); strings.Contains(hint, "gone") || !strings.Contains(hint, "use the running one") {
		t.Errorf("the hint is %q", hint)
	}
}

// The error names what is out of date.
func TestMark_SaysWhatIsMissed(t *testing.T) {
	m := mark{File: 1, Tx: 5, Seq: 70, Generation: 900}
	for want, found := range map[string]contents{
		"":                        {txid: 5, newest: 70, generation: 900},
		"newest event is 69":      {txid: 4, newest: 69, generation: 899},
		"newest refresh is 899":   {txid: 4, newest: 70, generation: 899},
		"newest commit is 4, and": {txid: 4, newest: 70, generation: 900},
	} {
		switch err := m.missedBy(&found, 1); {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%+v: %v, want %q", found, err, want)
		}
	}
}
