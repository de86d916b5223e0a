// Package systemd speaks with the service manager that started the daemon: it is
// told when the daemon can answer, reloads and stops, how it is, and that it is
// alive; it may pass on a socket and read the log. It exists so that no other
// package knows the manager's variables or words.
//
// Where no service manager asked for it, and on systems other than Linux, all of
// this does nothing. It imports nothing of this module.
package systemd

import (
	"os"
	"time"
)

// Given is what the service manager gave this process. The zero value is of one
// that none started.
type Given struct {
	// Notify is the socket on which the manager listens, a path or with @ in
	// front an abstract name; empty when it does not.
	Notify string
	// Watchdog is for how long it waits for a sign of life; 0: for ever.
	Watchdog time.Duration
	// Sockets are those that it made for us. Children do not inherit them.
	Sockets []*os.File
	// Problem says what could not be understood, and was left aside; nil for nothing.
	Problem error
}
