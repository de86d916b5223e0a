//go:build !linux

package socket

import "net"

const longestBacklog = 0

// resizer: only Linux is known to let it be changed, and to need it.
func resizer(*net.UnixListener) func(backlog int) { return nil }

// departed leaves it to the first read.
func departed(*net.UnixConn) (gone, mute bool) { return false, false }
