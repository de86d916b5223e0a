//go:build !unix

package ctl

import (
	"context"
	"os"
)

// awaitUnread knows of no way to tell: the next write shows it.
func awaitUnread(context.Context, *os.File) bool { return false }
