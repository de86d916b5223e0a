// Package systemd talks to the service manager that started the daemon. The manager is
// told when the daemon is ready, reloads and stops, its status, and that it is alive; it
// may pass a socket and read the log. No other package knows the manager's variables or
// words.
//
// Without such a manager, and on systems other than Linux, all of this does nothing. It
// imports nothing from this module.
package systemd

import (
	"os"
	"time"
)

// Given is what the service manager passed to this process. It is zero if no manager
// started it.
type Given struct {
	// Notify is the socket on which the manager listens: a path, or an abstract name with
	// a leading @; empty if there is none.
	Notify string
	// Watchdog is how long the manager waits for a sign of life; 0: for ever.
	Watchdog time.Duration
	// Sockets are those that the manager made for us. Children do not inherit them.
	Sockets []*os.File
	// Problem is what was invalid, and ignored; nil if nothing was.
	Problem error
}
