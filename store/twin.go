package store

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/providerd/providerd/store/trust"
)

// A twin repeats a database's mark on another file system, in memory if there is one. A
// disk that confirms what it has not written may lose the database's last commits
// together with the mark beside it. The twin is optional, so its errors are ignored.
type twin struct {
	name     string   // its path; empty: there is none
	database string   // the database's path
	f        *os.File // nil until its folder exists
	info     os.FileInfo
	size     int // the length to which a shorter text is padded
	text     twinText
}

type twinText struct {
	Database string `json:"database"`
	Mark     mark   `json:"last"`
	Alive    int64  `json:"alive,omitempty"` // until when providers were watched, in ms since 1970; 0: until the commit
}

// read returns the database's mark; the zero mark if there is none.
func (t *twin) read() mark {
	if !t.open() {
		return mark{}
	}
	text, err := io.ReadAll(io.NewSectionReader(t.f, 0, maxOwnerText))
	t.size = len(text)
	var found twinText
	if err != nil || json.Unmarshal(text, &found) != nil || found.Database != t.database {
		return mark{}
	}
	t.text = found
	return found.Mark
}

// write replaces the text with a single write.
func (t *twin) write(m mark) { t.put(twinText{Database: t.database, Mark: m}) }

// live records that the process was alive, and has watched since the last commit without a
// break. So a process that is killed loses no time, although it commits only once an hour.
func (t *twin) live(at time.Time) {
	if t.text.Mark != (mark{}) {
		t.put(twinText{t.database, t.text.Mark, timeMilli(at)})
	}
}

func (t *twin) put(to twinText) {
	if t.text = to; !t.open() {
		return
	}
	text, err := json.Marshal(to)
	if err != nil {
		return
	}
	if pad := t.size - len(text) - 1; pad > 0 {
		text = append(text, bytes.Repeat([]byte{' '}, pad)...)
	}
	text = append(text, '\n')
	if _, err := t.f.WriteAt(text, 0); err == nil {
		t.size = len(text)
	}
}

// open reports whether the file can be read and written. A file that is no longer at its
// path, as when the socket's folder was removed, is replaced by a new one.
func (t *twin) open() bool {
	if t.f != nil && isAt(t.info, t.name) != nil {
		t.close()
		t.f = nil
	}
	if t.f != nil || t.name == "" {
		return t.f != nil
	}
	// The socket's folder is checked later, when the socket is made. Until then it may
	// be a link that somebody planted.
	folder := filepath.Dir(t.name)
	if info, err := os.Lstat(folder); err != nil || !info.IsDir() || trust.Existing(folder) != nil {
		return false
	}
	f, err := trust.Open(t.name, os.O_CREATE, 0o600)
	if err != nil {
		return false
	}
	if t.info, err = f.Stat(); err != nil {
		f.Close()
		return false
	}
	t.f, t.size = f, int(min(t.info.Size(), maxOwnerText))
	return true
}

func (t *twin) close() {
	if t.f != nil {
		_ = t.f.Close()
	}
}
