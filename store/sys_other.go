//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package store

import (
	"os"
	"time"
)

// mapSize is zero because on Windows bbolt makes the file as large as its map.
const mapSize = 0

// ownerLocked: the owner file is not locked; we rely on bbolt's own lock.
const ownerLocked = false

// replacesOpen: Windows refuses to rename a file over an open one.
const replacesOpen = false

func keepOwner(*os.File, *os.File) error { return nil }

// lockFile leaves the locking to bbolt, whose lock the same open file cannot take twice
// here. Windows itself refuses to rename an open file.
func lockFile(*os.File, time.Time) error { return nil }

// unlockFile has nothing to do: the lock ends with the file.
func unlockFile(*os.File) error { return nil }

// fileNumber is not known here.
func fileNumber(*os.File) uint64 { return 0 }

// syncFolder does nothing: a folder cannot be synced here.
func syncFolder(string) error { return nil }
