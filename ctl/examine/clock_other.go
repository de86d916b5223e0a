//go:build !linux

package examine

import "github.com/providerd/providerd/ctl/doctor"

func clockOf() doctor.Clock { return doctor.Clock{} }
