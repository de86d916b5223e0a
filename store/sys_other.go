//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package store

import (
	"os"
	"time"
)

// mapSize is zero because on Windows bbolt makes the file as large as its map.
const mapSize = 0

// ownerLocked: the owner file is not locked; bbolt's own lock has to do.
const ownerLocked = false

// lockFile leaves the locking to bbolt: the lock that it takes here cannot be
// taken twice by the same open file. Windows itself refuses to rename a file that
// somebody has open.
func lockFile(*os.File, time.Time) error { return nil }

// unlockFile has nothing to do: the lock ends with the file.
func unlockFile(*os.File) error { return nil }

// fileNumber is not told.
func fileNumber(*os.File) uint64 { return 0 }

// syncFolder has nothing to do: a folder cannot be synced here.
func syncFolder(string) error { return nil }
