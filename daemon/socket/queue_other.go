//go:build !linux

package socket

import "net"

const longestBacklog = 0

// resizer is nil: only Linux is known to allow the change, and to need it.
func resizer(*net.UnixListener) func(backlog int) { return nil }

// departed leaves it to the first read to notice.
func departed(*net.UnixConn) (gone, mute bool) { return false, false }
