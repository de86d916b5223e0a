package configfile

import (
	"strings"

	"golang.org/x/sys/unix"
)

// keepAttributes gives a file the extended attributes of another: who else may read it
// (an access list) is one.
func keepAttributes(name, of string) error {
	list := make([]byte, 64<<10)
	n, err := unix.Listxattr(of, list)
	if err != nil || n == 0 {
		return nil // its file system has none
	}
	for attr := range strings.SplitSeq(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00") {
		value := make([]byte, 64<<10)
		size, err := unix.Getxattr(of, attr, value)
		if err != nil {
			continue // gone, or not ours to read
		}
		err = unix.Setxattr(name, attr, value[:size], 0)
		if err != nil && attr == accessList {
			return err
		}
	}
	return nil
}

// accessList is where Linux has what setfacl sets. Source: acl(5).
const accessList = "system.posix_acl_access"

// hasAccessList reports whether more than the mode decides who may use a file.
func hasAccessList(path string) bool {
	n, err := unix.Getxattr(path, accessList, nil)
	return err == nil && n > 0
}
