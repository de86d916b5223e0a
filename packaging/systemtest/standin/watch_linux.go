package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watch prints a line for each change of a name in a folder: what happened, the name, and
// the mode when the line is written. The kernel reports every change. The first line says
// that the watch has begun.
func watch(folder string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	const all = unix.IN_CREATE | unix.IN_ATTRIB | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_DELETE
	if _, err := unix.InotifyAddWatch(fd, folder, all); err != nil {
		return fmt.Errorf("watch %s: %w", folder, err)
	}
	fmt.Println("watching")
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			return err
		}
		for rest := buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			event := (*unix.InotifyEvent)(unsafe.Pointer(&rest[0]))
			end := unix.SizeofInotifyEvent + int(event.Len)
			name := string(bytes.TrimRight(rest[unix.SizeofInotifyEvent:end], "\x00"))
			mode := "gone"
			if info, err := os.Lstat(filepath.Join(folder, name)); err == nil {
				mode = info.Mode().String()
			}
			fmt.Println(verb(event.Mask), name, mode)
			rest = rest[end:]
		}
	}
}

func verb(mask uint32) string {
	switch {
	case mask&unix.IN_CREATE != 0:
		return "created"
	case mask&unix.IN_ATTRIB != 0:
		return "changed"
	case mask&unix.IN_MOVED_TO != 0:
		return "moved-to"
	case mask&unix.IN_MOVED_FROM != 0:
		return "moved-from"
	case mask&unix.IN_DELETE != 0:
		return "deleted"
	}
	return "lost" // the kernel's queue was full
}
