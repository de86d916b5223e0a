package store

import (
	"errors"
	"slices"
	"strings"
	"syscall"
)

// A refusal is a way in which a system or its file system says no.
type refusal struct {
	op   string // only of steps that begin so; empty: of all
	says []error
	hint string // what to do; FOLDER stands for the database's
}

func (r *refusal) holds(e *OpenError) bool {
	return strings.HasPrefix(e.Op, r.op) &&
		slices.ContainsFunc(r.says, func(said error) bool { return errors.Is(e.Err, said) })
}

// refusals are all that are known by more than "no", the first that holds first: what
// to do about a file system without locks is not what to do about a full one.
var refusals = [...]refusal{
	{"lock ", []error{syscall.ENOLCK, syscall.EOPNOTSUPP, syscall.ENOTSUP, syscall.ENOSYS, syscall.EINVAL},
		"the file system of FOLDER has no file locks, as some NFS mounts: turn them on there (findmnt -T FOLDER)"},
	{"", []error{syscall.ENOLCK},
		"the file system of FOLDER has no file locks, as some NFS mounts: turn them on there (findmnt -T FOLDER)"},
	{"", []error{syscall.ENODEV, syscall.EINVAL, syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.ENOTSUP},
		"the file system of FOLDER cannot map files into memory, as some 9p, FUSE and shared folders of virtual machines (findmnt -T FOLDER): put the database on a local disk"},
	{"", []error{syscall.EROFS},
		"FOLDER is on a file system that is mounted read-only: mount -o remount,rw it (findmnt -T FOLDER)"},
	{"", []error{syscall.ENOSPC},
		"free some space on the disk of FOLDER (df -h FOLDER; df -i FOLDER)"},
	{"", []error{syscall.EDQUOT},
		"the quota of the user that runs providerd is used up on the disk of FOLDER: free some of it (quota -s)"},
	{"", []error{syscall.EACCES, syscall.EPERM},
		"give the user that runs providerd the right to write in FOLDER"},
	{"", []error{syscall.EMFILE, syscall.ENFILE},
		"providerd may not open more files: raise the limit (ulimit -n, or LimitNOFILE= of the service)"},
	{"", []error{syscall.ENOMEM, syscall.EAGAIN, syscall.ENOBUFS},
		"providerd gets no memory to map the database: raise its limit (ulimit -v, or MemoryMax= of the service)"},
	{"", []error{syscall.EFBIG},
		"the database may not grow: raise the limit on the size of files (ulimit -f, or LimitFSIZE= of the service)"},
	{"", []error{syscall.EIO, syscall.ENXIO},
		"the disk of FOLDER fails: see dmesg"},
	{"", []error{syscall.ESTALE, syscall.ENOTCONN, syscall.ETIMEDOUT, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ECONNREFUSED},
		"whoever serves the file system of FOLDER is gone: mount it anew (findmnt -T FOLDER)"},
	{"", []error{syscall.ENOTDIR},
		"a part of FOLDER is a file, not a folder: move it away"},
	{"", []error{syscall.ENAMETOOLONG, syscall.ELOOP},
		"FOLDER is no path that this system can follow"},
}
