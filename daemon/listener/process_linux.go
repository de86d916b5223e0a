package listener

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// readHolders reads which process holds which socket: proc_pid_fd(5). It skips processes that
// this user may not inspect.
func readHolders() map[uint64]int {
	holders := map[uint64]int{}
	for _, name := range namesIn("/proc") {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		for _, inode := range socketsOf(pid) {
			if before := holders[inode]; before <= 1 || pid > 1 && pid < before {
				holders[inode] = pid
			}
		}
	}
	return holders
}

// socketsOf returns the inodes of a process's sockets.
func socketsOf(pid int) []uint64 {
	var inodes []uint64
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	for _, fd := range namesIn(dir) {
		target, err := os.Readlink(dir + "/" + fd)
		if err != nil {
			continue // closed meanwhile
		}
		text, isSocket := strings.CutPrefix(target, "socket:[")
		if inode, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64); isSocket && err == nil {
			inodes = append(inodes, inode)
		}
	}
	return inodes
}

// namesIn lists a folder; nothing if it cannot be read.
func namesIn(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1) // what was read before an error counts
	return names
}

// startOf is when a process started, in clock ticks since the boot; 0 if there is no such
// process, or it has ended: proc_pid_stat(5).
func startOf(pid int) uint64 {
	var room [512]byte // the first 22 fields fit, and are read in one piece
	stat := readOnce("/proc/"+strconv.Itoa(pid)+"/stat", room[:])
	// The name, field 2, can contain blanks and parentheses; field 3 follows the last one.
	field := 3
	for text := range bytes.FieldsSeq(stat[bytes.LastIndexByte(stat, ')')+1:]) {
		switch field {
		case 3:
			if text[0] == 'Z' || text[0] == 'X' {
				return 0
			}
		case 22:
			started, err := strconv.ParseUint(string(text), 10, 64)
			if err != nil {
				return 0
			}
			return max(started, 1) // the first process started at 0
		}
		field++
	}
	return 0
}

// readOnce reads the beginning of a file into room; nothing if it cannot be read. os.ReadFile
// makes a dozen system calls where three are enough, and one of them registers the file with
// the poller, which does not support such files.
func readOnce(path string, room []byte) []byte {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	for err == syscall.EINTR {
		fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	}
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	n, err := syscall.Read(fd, room)
	for err == syscall.EINTR {
		n, err = syscall.Read(fd, room)
	}
	if err != nil {
		return nil
	}
	return room[:n]
}

// isTaken reports whether a process has the PID, even a zombie.
func isTaken(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }

// Behind returns the process that called listen on the Unix socket at the other end, and its
// user. The process is zero if it is not in our PID namespace, or has ended.
func Behind(c *net.UnixConn) (uid uint32, p Process, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, Process{}, fmt.Errorf("ask who listens: %w", err)
	}
	var cred *unix.Ucred
	var asked error
	if err := raw.Control(func(fd uintptr) {
		cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, Process{}, fmt.Errorf("ask who listens: %w", err)
	}
	if asked != nil {
		return 0, Process{}, fmt.Errorf("ask who listens: %w", asked)
	}
	return cred.Uid, processOf(int(cred.Pid)), nil
}
