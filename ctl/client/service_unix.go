//go:build unix

package client

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/providerd/providerd/store/home"
	"github.com/providerd/providerd/store/trust"
	"github.com/providerd/providerd/store/userns"
)

// The system's daemon runs as a user of its own, who owns the folder of its database. Root
// reads there where it listens, and believes that user about nothing else: every folder and
// link on the way to the socket is that user's or root's, and that user listens there. So
// that user cannot make root talk to a socket of somebody else's, root's included.

// serviceUser is the name of that user; the packages make it. A folder that is left of a
// service that was removed may be some other user's by now, whose number is the same.
const serviceUser = "providerd"

// readService reads a file that the user of the system's service has written, and says who
// that is: the owner of its folder, which is in one where only root can make any.
func readService(path string, limit int64) (text []byte, service uint32, err error) {
	dir := filepath.Dir(path)
	if err := trust.Existing(filepath.Dir(dir)); err != nil {
		return nil, 0, err
	}
	above, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return nil, 0, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, 0, err
	}
	service, known := ownerOf(info)
	if !known || int64(service) != int64(home.Number(serviceUser)) || !info.IsDir() || above.Mode().Perm()&0o022 != 0 || info.Mode().Perm()&0o022 != 0 {
		return nil, 0, errNotService
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, 0, err
	}
	if owner, _ := ownerOf(info); owner != service || !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 {
		return nil, 0, errNotService
	}
	text, err = io.ReadAll(io.LimitReader(f, limit))
	return text, service, err
}

var errNotService = errors.New("others than the system's service can write it")

func ownerOf(info fs.FileInfo) (uid uint32, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	return st.Uid, ok && userns.KnownUser(st.Uid)
}

// isServices reports whether the service's user owns a folder or link, and not everybody
// can change it.
func (p place) isServices(info fs.FileInfo) bool {
	uid, known := ownerOf(info)
	return p.service != 0 && known && uid == p.service && (info.Mode()&fs.ModeSymlink != 0 || info.Mode().Perm()&0o002 == 0)
}
