package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/providerd/providerd/store/trust"
)

// An ownerFile says who has the database open. Whoever holds its lock may open,
// create or replace the database, so that two daemons which start at once cannot
// get in each other's way; its text is for whoever finds the lock taken, and means
// nothing while the lock is free.
//
// The file is never removed: a lock on a name that can vanish is no lock.
type ownerFile struct {
	f       *os.File
	written bool // the text is ours
}

// errLocked is returned by lockFile when the lock was not free in time.
var errLocked = errors.New("locked by another process")

// lockOwner takes the lock beside the database at path, or says who has it.
func lockOwner(path string, deadline time.Time) (*ownerFile, error) {
	f, err := trust.Open(path+".owner", os.O_CREATE, 0o600)
	if err != nil {
		return nil, &OpenError{Op: "open the database", Path: path, Err: err}
	}
	if err := lockFile(f, deadline); err != nil {
		defer f.Close()
		if errors.Is(err, errLocked) {
			return nil, &HeldError{Path: path, Owner: readOwner(f)}
		}
		return nil, &OpenError{Op: "lock the database", Path: path, Err: err}
	}
	return &ownerFile{f: f}, nil
}

// readOwner returns the zero Owner when the text is absent or half written.
func readOwner(f *os.File) Owner {
	var o Owner
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 64<<10))
	if err != nil || json.Unmarshal(text, &o) != nil {
		return Owner{}
	}
	return o
}

func (o *ownerFile) path() string { return o.f.Name() }

func (o *ownerFile) write(owner Owner) error {
	text, err := json.Marshal(owner)
	if err != nil {
		return err
	}
	if err := o.f.Truncate(0); err != nil {
		return err
	}
	o.written = true
	_, err = o.f.WriteAt(append(text, '\n'), 0)
	return err
}

// release takes our text back, and gives up the lock.
func (o *ownerFile) release() error {
	var err error
	if o.written {
		err = o.f.Truncate(0)
	}
	if err := errors.Join(err, o.f.Close()); err != nil {
		return fmt.Errorf("release %s: %w", o.f.Name(), err)
	}
	return nil
}
