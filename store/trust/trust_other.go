//go:build !unix

package trust

import "io/fs"

// guarded: there are no such flags here.
const guarded = 0

// foreign trusts: permissions are not told by a mode here.
func foreign(fs.FileInfo) string { return "" }

func ownerAndNames(fs.FileInfo) (uid uint32, names uint64, known bool) { return 0, 0, false }

func trusted(uint32) bool { return true }
