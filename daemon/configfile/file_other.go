//go:build !unix

package configfile

import (
	"io/fs"
	"os"
)

// dontWait: named pipes are not files here.
const dontWait = 0

// syncFolder: folders cannot be synced here.
func syncFolder(string) error { return nil }

// keepOwner: whoever writes a file owns it here, and the folder gives it its rights.
func keepOwner(string, fs.FileInfo) error { return nil }

// lock: there are no such locks here.
func lock(*os.File) error { return nil }

// namesOf: links are not counted here.
func namesOf(fs.FileInfo) (names, inode uint64) { return 1, 0 }

// mounted: nothing is mounted on a file here.
func mounted(error) bool { return false }

// ownersOf: users have no numbers here.
func ownersOf(fs.FileInfo) (uid, gid uint32, known bool) { return 0, 0, false }
