package userns

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
)

// usualOverflow is the kernel's default (DEFAULT_OVERFLOWUID).
const usualOverflow = 65534

// A process does not leave its user namespace, and a map is written only once.
var (
	users  = sync.OnceValue(func() idMap { return read("/proc", "uid") })
	groups = sync.OnceValue(func() idMap { return read("/proc", "gid") })
)

// read returns the map of users ("uid") or groups ("gid") from a proc file system.
func read(proc, kind string) idMap {
	overflow := uint32(usualOverflow)
	if text, err := os.ReadFile(proc + "/sys/kernel/overflow" + kind); err == nil {
		if id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32); err == nil {
			overflow = uint32(id)
		}
	}
	text, err := os.ReadFile(proc + "/self/" + kind + "_map")
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(proc + "/self/status"); err == nil {
			return idMap{complete: true} // a kernel without user namespaces
		}
	}
	return parse(string(text), overflow) // an empty text makes an incomplete map
}
