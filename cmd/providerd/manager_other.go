//go:build !windows

package main

import "github.com/providerd/providerd/daemon"

// underManager runs the daemon as a Windows service; elsewhere a service is a
// process like any other.
func underManager(daemon.Options) (ran bool, err error) { return false, nil }
