package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/providerd/providerd/store/trust"
)

// An ownerFile says who has the database open. Whoever holds its lock may open,
// create or replace the database, so that two daemons which start at once cannot
// get in each other's way; its text is for whoever finds the lock taken.
//
// Beside that it remembers how far the database has come, for whoever opens it
// next, and finds another or an older one in its place.
//
// The file is never removed: a lock on a name that can vanish is no lock.
type ownerFile struct {
	f       *os.File
	info    os.FileInfo // which one it is
	text    ownerText   // as it was found, and from the first write on as it is
	written bool        // the text is ours
	size    int         // of the text, at least: what is shorter is padded
	twin    twin        // has the mark too
}

// An ownerText is what is in the file. The owner means nothing while the lock is
// free.
type ownerText struct {
	Owner
	Mark mark `json:"last,omitzero"`
}

// errLocked is returned by lockFile when the lock was not free in time.
var errLocked = errors.New("locked by another process")

// maxOwnerText is far more than any text needs.
const maxOwnerText = 64 << 10

func ownerPath(path string) string { return path + ".owner" }

// lockOwner takes the lock beside the database at path, or says who has it. twinPath
// is where the mark is repeated; empty: nowhere.
func lockOwner(path, twinPath string, deadline time.Time) (*ownerFile, error) {
	f, err := trust.Open(ownerPath(path), os.O_CREATE, 0o600)
	if err != nil {
		return nil, &OpenError{Op: "open the database", Path: path, Err: err}
	}
	if err := lockFile(f, deadline); err != nil {
		defer f.Close()
		if errors.Is(err, errLocked) {
			text, _ := readOwner(f)
			return nil, &HeldError{Path: path, Owner: text.Owner}
		}
		return nil, &OpenError{Op: "lock the database", Path: path, Err: err}
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, &OpenError{Op: "open the database", Path: path, Err: err}
	}
	o := &ownerFile{f: f, info: info, twin: twin{name: twinPath, database: path}}
	o.text, o.size = readOwner(f)
	if last := o.twin.read(); last.isAfter(o.text.Mark) {
		o.text.Mark = last
	}
	return o, nil
}

// readOwner returns the zero text when it is absent or half written, and its size.
func readOwner(f *os.File) (ownerText, int) {
	var t ownerText
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxOwnerText))
	if err != nil || json.Unmarshal(text, &t) != nil {
		return ownerText{}, len(text)
	}
	return t, len(text)
}

// socketIsGone reports whether nothing is where the process answers.
func (o Owner) socketIsGone() bool {
	if o.Socket == "" || o.PID == 0 {
		return false
	}
	_, err := os.Lstat(o.Socket)
	return errors.Is(err, fs.ErrNotExist)
}

// isEnding reports whether the process has ended and still holds what it had: one of
// its threads waits for a disk that does not answer, which no signal ends. Only Linux
// tells (proc_pid_stat(5): Z).
func (o Owner) isEnding() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", o.PID))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

func (o *ownerFile) path() string { return o.f.Name() }

// write replaces the text in one piece. It is not synced: a mark that is older than
// the database does no harm.
func (o *ownerFile) write(t ownerText) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if pad := o.size - len(text) - 1; pad > 0 {
		text = append(text, bytes.Repeat([]byte{' '}, pad)...)
	}
	text = append(text, '\n')
	o.written = true
	o.twin.write(t.Mark)
	if _, err := o.f.WriteAt(text, 0); err != nil {
		return err
	}
	o.text, o.size = t, len(text)
	return nil
}

// remember replaces the mark.
func (o *ownerFile) remember(m mark) error {
	if m == o.text.Mark {
		return nil
	}
	t := o.text
	t.Mark = m
	return o.write(t)
}

// expectAnother makes the mark one of any file that has come as far: the next is
// about to take its place.
func (o *ownerFile) expectAnother() error {
	m := o.text.Mark
	m.File, m.Tx = 0, 0
	return o.remember(m)
}

// release takes our name back, and gives up the lock.
func (o *ownerFile) release() error {
	var err error
	if o.written {
		err = o.write(ownerText{Mark: o.text.Mark})
	}
	o.twin.close()
	if err := errors.Join(err, o.f.Close()); err != nil {
		return fmt.Errorf("release %s: %w", o.f.Name(), err)
	}
	return nil
}
