//go:build !linux

package listener

import "net"

func readHolders() map[uint64]int { return nil }

func startOf(int) uint64 { return 0 }

func isTaken(int) bool { return false }

// Behind returns the process that called listen on the Unix socket at the other end,
// and its user. This system does not say.
func Behind(*net.UnixConn) (uid uint32, p Process, err error) { return 0, Process{}, ErrUnsupported }
