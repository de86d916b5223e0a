package client

import (
	"syscall"
	"time"
)

// turnTime is how long a connection waits for its turn before a retry.
const turnTime = 100 * time.Millisecond

// standInLine connects while the listener's queue is full. A caller that waits in the
// kernel gets the next free place; one that retries needs luck. The wait has to be short,
// because nothing else ends it.
func standInLine(fd int, to syscall.Sockaddr) error {
	patience := syscall.NsecToTimeval(int64(turnTime))
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &patience); err != nil {
		return syscall.EAGAIN
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		return err
	}
	err := error(syscall.EINTR)
	for end := time.Now().Add(turnTime); err == syscall.EINTR && time.Now().Before(end); {
		err = syscall.Connect(fd, to)
	}
	if err == syscall.EINTR {
		err = syscall.EAGAIN
	}
	if again := syscall.SetNonblock(fd, true); err == nil {
		err = again
	}
	return err
}
