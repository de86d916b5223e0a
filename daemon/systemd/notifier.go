package systemd

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	// sendTime is how long the manager may take to accept a message.
	sendTime = time.Second
	// maxStatus bounds a status line in bytes: the manager takes 4 KiB in all.
	maxStatus = 1000
)

// A Notifier reports the daemon's state to the service manager. A nil one does nothing.
// Its methods are safe for concurrent use. After an error the message is lost.
//
// go-systemd's SdNotify is of no use: it looks for the socket in the environment at each
// message, and Take removes it from there.
type Notifier struct {
	to string

	mu    sync.Mutex
	phase phase
	said  string // the last status
}

// A phase is the daemon's state as the manager knows it. Only messages that fit are sent:
// a reload before the daemon is ready must not declare it ready.
type phase int

const (
	starting phase = iota
	ready
	stopping
)

// NewNotifier returns a Notifier for the manager that listens on a socket, nil if the name
// is empty.
func NewNotifier(socket string) *Notifier {
	if socket == "" {
		return nil
	}
	return &Notifier{to: socket}
}

// Ready reports that the daemon has started and answers.
func (n *Notifier) Ready(status string) error {
	return n.say(starting, ready, "READY=1", status)
}

// Reloading reports that the configuration is being read again. [Notifier.Reloaded] must
// follow.
func (n *Notifier) Reloading() error {
	return n.say(ready, ready, "RELOADING=1\n"+strings.TrimSuffix(monotonicUsec(), "\n"), "")
}

// Reloaded reports that a reload has ended, successfully or not.
func (n *Notifier) Reloaded(status string) error {
	return n.say(ready, ready, "READY=1", status)
}

// Status sets the status line that the manager shows. A repeated line is sent only once.
func (n *Notifier) Status(status string) error { return n.say(ready, ready, "", status) }

// Alive feeds the watchdog.
func (n *Notifier) Alive() error { return n.say(ready, ready, "WATCHDOG=1", "") }

// Stopping reports that the daemon is ending and, if nobody asked it to, why.
func (n *Notifier) Stopping(status string) error {
	if err := n.say(starting, stopping, "STOPPING=1", status); n == nil || err != nil {
		return err
	}
	return n.say(ready, stopping, "STOPPING=1", status)
}

// say sends a message if the phase is from, and enters the next one.
func (n *Notifier) say(from, to phase, message, status string) error {
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.phase != from {
		return nil
	}
	if status = statusLine(status); status != "" && (message != "" || status != n.said) {
		if message != "" {
			message += "\n"
		}
		message += "STATUS=" + status
	}
	if message == "" {
		return nil
	}
	if err := n.send(message); err != nil {
		return fmt.Errorf("tell the service manager (%s): %w", n.to, err)
	}
	n.phase = to
	if status != "" {
		n.said = status
	}
	return nil
}

// send dials each time, because the manager may have been restarted.
func (n *Notifier) send(message string) error {
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.to, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return err
	}
	_, err = c.Write([]byte(message))
	return err
}

// statusLine makes a status one line, so that it cannot pass for another message.
func statusLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > maxStatus {
		s = strings.ToValidUTF8(s[:maxStatus], "") + "…"
	}
	return s
}
