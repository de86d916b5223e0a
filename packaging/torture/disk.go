//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A disk is a mounted ext4 in a file.
type disk struct {
	image, loop, mount string
}

// Constants of ioctl(2) that golang.org/x/sys does not have. Source: Linux, fs/ext4/ext4.h and
// include/uapi/linux/fs.h.
const (
	ext4Shutdown      = 0x8004587D
	shutdownNoLogSync = 2 // neither the journal nor anything else is written from then on
	freeze, thaw      = 0xC0045877, 0xC0045878
)

// newDisk makes a disk of that many MiB in a folder; errSkip if that is not possible.
func newDisk(dir string, size int) (*disk, error) {
	k := &disk{image: filepath.Join(dir, "disk"), mount: filepath.Join(dir, "mount")}
	if err := errors.Join(os.Mkdir(k.mount, 0o755), os.WriteFile(k.image, nil, 0o600), os.Truncate(k.image, int64(size)<<20)); err != nil {
		return nil, err
	}
	loop, err := output("losetup", "--find", "--show", k.image)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSkip, err)
	}
	k.loop = loop
	if _, err := output("mkfs.ext4", "-q", "-F", k.loop); err != nil {
		k.remove()
		return nil, fmt.Errorf("%w: %w", errSkip, err)
	}
	if err := k.attach(); err != nil {
		k.remove()
		return nil, fmt.Errorf("%w: %w", errSkip, err)
	}
	return k, nil
}

func (k *disk) attach() error {
	_, err := output("mount", "-o", "errors=remount-ro", k.loop, k.mount)
	return err
}

// detach unmounts the disk, after its users have ended.
func (k *disk) detach() error {
	var err error
	for range 100 { // what a process held is released a moment after its end
		if err = syscall.Unmount(k.mount, 0); !errors.Is(err, syscall.EBUSY) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func (k *disk) remove() {
	_ = k.control(thaw, 0)
	_ = k.detach()
	_, _ = output("losetup", "--detach", k.loop)
}

// cut cuts the power: what has not been synced is lost.
func (k *disk) cut() error {
	if err := k.control(ext4Shutdown, shutdownNoLogSync); err != nil {
		return fmt.Errorf("%w: EXT4_IOC_SHUTDOWN: %w", errSkip, err)
	}
	return nil
}

// again restarts the machine after a cut.
func (k *disk) again() error { return errors.Join(k.detach(), k.attach()) }

// breaks makes the file system believe that it is damaged, so that it turns read-only.
func (k *disk) breaks() error {
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(k.loop), "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("torture"), 0); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	return nil
}

func (k *disk) control(request uint, argument int) error {
	dir, err := os.Open(k.mount)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.IoctlSetPointerInt(int(dir.Fd()), request, argument)
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// onDisk makes a disk of that many MiB, and a daemon that has its state there and watches
// providers whose states change all the time. done removes all of it.
func (b *bench) onDisk(t *try, size, providers int) (d *daemon, k *disk, done func(), err error) {
	if k, err = newDisk(t.dir, size); err != nil {
		return nil, nil, nil, err
	}
	server := flipping()
	done = func() {
		if d != nil {
			d.kill()
		}
		server.Close()
		k.remove()
	}
	if d, err = b.newDaemon(t.dir, watching(providers, server.URL)); err != nil {
		done()
		return nil, nil, nil, err
	}
	d.state = filepath.Join(k.mount, "state")
	return d, k, done, nil
}
