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

// An ownerFile says who has the database open. Only the process that holds its lock
// opens, creates or replaces the database, so that two daemons that start at once do
// not get in each other's way. Its text is for a process that finds the lock held.
//
// It also has the database's mark, by which the next process to open the database
// notices that another or an older one is in its place.
//
// The file is never removed: a lock on a file that can vanish is no lock.
type ownerFile struct {
	f       *os.File
	info    os.FileInfo // identifies it
	text    ownerText   // as found, and after the first write as written
	written bool        // we wrote the text
	size    int         // the length to which a shorter text is padded
	twin    twin        // repeats the mark
}

// An ownerText is the file's content. The owner means nothing while the lock is free.
type ownerText struct {
	Owner
	Mark mark `json:"last,omitzero"`
}

// errLocked is returned by lockFile if the lock does not become free in time.
var errLocked = errors.New("locked by another process")

// maxOwnerText is far more than any text needs.
const maxOwnerText = 64 << 10

func ownerPath(path string) string { return path + ".owner" }

// lockOwner takes the lock beside the database at path, or says who holds it. twinPath
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

// readOwner returns the text and its size; the zero text if it is absent or incomplete.
func readOwner(f *os.File) (ownerText, int) {
	var t ownerText
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxOwnerText))
	if err != nil || json.Unmarshal(text, &t) != nil {
		return ownerText{}, len(text)
	}
	return t, len(text)
}

// socketIsGone reports whether the process's socket file does not exist.
func (o Owner) socketIsGone() bool {
	if o.Socket == "" || o.PID == 0 {
		return false
	}
	_, err := os.Lstat(o.Socket)
	return errors.Is(err, fs.ErrNotExist)
}

// isEnding reports whether the process has ended but still holds its files, because one
// of its threads waits for a disk that does not answer, which no signal interrupts.
// Only Linux tells (proc_pid_stat(5): Z).
func (o Owner) isEnding() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", o.PID))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

func (o *ownerFile) path() string { return o.f.Name() }

// write replaces the text with a single write. It is not synced: a mark that is behind
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

// Answers records the socket on which this process answers now, for another process that
// finds the database held, and for clients that search for it.
func (s *Store) Answers(socket string) {
	s.disk.Lock()
	defer s.disk.Unlock()
	t := s.owner.text
	t.Socket = socket
	if err := s.owner.write(t); err != nil {
		s.log.Warn("could not record the owner of the database", "path", s.owner.path(), "error", err)
	}
}

// remember writes a new mark.
func (o *ownerFile) remember(m mark) error {
	if m == o.text.Mark {
		return nil
	}
	t := o.text
	t.Mark = m
	return o.write(t)
}

// expectAnother makes the mark fit any file that is not behind it: a new one is about to
// be renamed into place.
func (o *ownerFile) expectAnother() error {
	m := o.text.Mark
	m.File, m.Tx = 0, 0
	return o.remember(m)
}

// release removes our name and releases the lock.
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
