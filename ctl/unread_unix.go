//go:build unix

package ctl

import (
	"context"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// awaitUnread waits until nobody can read any more what is written to a pipe or a socket,
// and returns true, or until ctx ends. It cannot be known for any other file.
func awaitUnread(ctx context.Context, out *os.File) bool {
	info, err := out.Stat()
	if err != nil || info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) == 0 {
		return false
	}
	quit, end, err := os.Pipe()
	if err != nil {
		return false
	}
	defer quit.Close()
	defer end.Close()
	defer context.AfterFunc(ctx, func() { end.Close() })()
	// POLLHUP is reported without being requested, except by macOS.
	fds := []unix.PollFd{{Fd: int32(out.Fd()), Events: unix.POLLHUP}, {Fd: int32(quit.Fd())}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil || ctx.Err() != nil:
			return false
		default:
			return fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
		}
	}
}
