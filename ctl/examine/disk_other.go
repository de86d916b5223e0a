//go:build !linux && !darwin

package examine

import "github.com/providerd/providerd/ctl/doctor"

func diskOf(folder string) doctor.Disk { return doctor.Disk{Folder: folder} }
