package store

import (
	"errors"
	"slices"
	"strings"
	"syscall"
)

// A refusal is a way in which the system refuses to open the database.
type refusal struct {
	op   string // only steps that begin with this; empty: all
	says []error
	hint string // what to do; FOLDER stands for the database's folder
	ours bool   // the process is at its limit, wherever the database is
}

func (r *refusal) holds(e *OpenError) bool {
	return strings.HasPrefix(e.Op, r.op) &&
		slices.ContainsFunc(r.says, func(said error) bool { return errors.Is(e.Err, said) })
}

// refusals are those with a hint of their own; the first that applies counts.
var refusals = [...]refusal{
	{op: "lock ", says: []error{syscall.ENOLCK, syscall.EOPNOTSUPP, syscall.ENOTSUP, syscall.ENOSYS, syscall.EINVAL},
		hint: "the file system of FOLDER has no file locks, as on some NFS mounts: turn them on there (findmnt -T FOLDER)"},
	{says: []error{syscall.ENOLCK},
		hint: "the file system of FOLDER has no file locks, as on some NFS mounts: turn them on there (findmnt -T FOLDER)"},
	{says: []error{syscall.ENODEV, syscall.EINVAL, syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOTSUP},
		hint: "the file system of FOLDER cannot map files into memory, like some 9p, FUSE and virtual machines' shared folders (findmnt -T FOLDER): put the database on a local disk"},
	{says: []error{syscall.EROFS},
		hint: "FOLDER is on a file system that is mounted read-only: mount it for writing (mount -o remount,rw; see: findmnt -T FOLDER)"},
	{says: []error{syscall.ENOSPC},
		hint: "free some space on the disk of FOLDER (df -h FOLDER; df -i FOLDER)"},
	{says: []error{syscall.EDQUOT},
		hint: "the quota of the user that runs providerd is used up on the disk of FOLDER: free some of it (quota -s)"},
	{says: []error{syscall.EPERM}, // root too
		hint: "give the user that runs providerd the right to write in FOLDER; if it has that, a file there is immutable or append-only (lsattr -d FOLDER; lsattr FOLDER): chattr -i -a FILE"},
	{says: []error{syscall.EACCES},
		hint: "give the user that runs providerd the right to write in FOLDER"},
	{says: []error{syscall.EMFILE, syscall.ENFILE},
		hint: "providerd has reached its limit of open files: raise it (ulimit -n, or LimitNOFILE= of the service)", ours: true},
	{says: []error{syscall.ENOMEM, syscall.EAGAIN, syscall.ENOBUFS},
		hint: "providerd has no memory left to map the database: raise its limit (ulimit -v, or MemoryMax= of the service)", ours: true},
	{says: []error{syscall.EFBIG},
		hint: "the database has reached the limit on file sizes: raise it (ulimit -f, or LimitFSIZE= of the service)", ours: true},
	{says: []error{syscall.EIO, syscall.ENXIO},
		hint: "the disk of FOLDER reports errors: see dmesg"},
	{says: []error{syscall.ESTALE, syscall.ENOTCONN, syscall.ETIMEDOUT, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ECONNREFUSED},
		hint: "the server of FOLDER's file system is gone: mount it again (findmnt -T FOLDER)"},
	{says: []error{syscall.ENOTDIR},
		hint: "a part of FOLDER is a file, not a folder: move it away"},
	{says: []error{syscall.ENAMETOOLONG, syscall.ELOOP},
		hint: "FOLDER is not a valid path on this system"},
}
