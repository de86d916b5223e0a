//go:build unix

package scarce

import (
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

var exhausted = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}

// Limit is how many files this process may have open: the soft limit, which
// Go raises to the hard one when a program starts.
func Limit() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return uint64(limit.Cur)
}
