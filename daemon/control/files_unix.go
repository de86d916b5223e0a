//go:build unix

package control

import (
	"math"

	"golang.org/x/sys/unix"
)

// openFiles is how many files this process may have open: the soft limit, which
// Go raises to the hard one when a program starts.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return uint64(limit.Cur)
}
