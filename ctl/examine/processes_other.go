//go:build !linux

package examine

import "github.com/providerd/providerd/ctl/doctor"

func processes() []doctor.Process { return nil }
