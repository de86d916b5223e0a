package service

import (
	"errors"
	"fmt"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/providerd/providerd/store/provider"
)

// Rights on files (learn.microsoft.com/windows/win32/fileio/file-access-rights-constants).
const (
	readAndEnter  = "0x1200a9" // FILE_GENERIC_READ | FILE_GENERIC_EXECUTE
	readAndWrite  = "0x12019f" // FILE_GENERIC_READ | FILE_GENERIC_WRITE
	changeContent = "0x1301bf" // both, and DELETE
)

// owners gives SYSTEM and the administrators full control.
const owners = "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// protect makes the service's folders, in which only administrators and the service itself
// can create files. Users may enter the socket's folder and write to files in it, as they
// must in order to connect; they cannot create or delete files there, or read the state.
func (s *Service) protect() error {
	data, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return fmt.Errorf("find ProgramData: %w", err)
	}
	sid, _, _, err := windows.LookupSID("", `NT SERVICE\providerd`)
	if err != nil {
		return fmt.Errorf("look up the service's account: %w", err)
	}
	base, own := filepath.Join(data, "providerd"), sid.String()
	for _, f := range []struct{ path, access string }{
		{base, owners + "(A;OICI;" + readAndEnter + ";;;" + own + ")"},
		{filepath.Join(base, "state"), owners + "(A;OICI;" + changeContent + ";;;" + own + ")"},
		{filepath.Join(base, "run"), owners + "(A;OICI;" + changeContent + ";;;" + own + ")" +
			"(A;;" + readAndEnter + ";;;BU)(A;OIIO;" + readAndWrite + ";;;BU)"},
	} {
		if err := folderWith(f.path, f.access); err != nil {
			return fmt.Errorf("protect %s: %w", f.path, err)
		}
	}
	return nil
}

// folderWith makes a folder with an access list, or sets it on an existing one. Any user can
// make a folder in ProgramData: one that does not belong to the administrators is refused.
func folderWith(path, access string) error {
	descriptor, err := windows.SecurityDescriptorFromString(access)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	err = windows.CreateDirectory(name, &windows.SecurityAttributes{
		Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: descriptor,
	})
	if !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return err
	}
	if err := administrators(path); err != nil {
		return err
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

// administrators refuses a folder that somebody else made, and a link.
func administrators(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	attributes, err := windows.GetFileAttributes(name)
	if err != nil {
		return err
	}
	if attributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0 {
		return provider.WithHint("it is a link", "remove it, then install again")
	}
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return err
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return err
	}
	if owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) || owner.IsWellKnown(windows.WinLocalSystemSid) {
		return nil
	}
	return provider.WithHint("it belongs to another user: "+owner.String(), "look at what is in it, remove it, then install again")
}
