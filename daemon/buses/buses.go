// Package buses finds the message buses of D-Bus, and says who listens on one.
//
// It imports the standard library and store/userns.
package buses

import (
	"cmp"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// System is where the system's bus listens, in a folder that only root can make.
const System = "/run/dbus/system_bus_socket"

// Socket is where a message bus listens, as D-Bus clients find it: at the address in the
// environment, or else in the usual place (dbus.freedesktop.org/doc/
// dbus-specification.html, "Well-known Message Bus Instances"; for the user's, systemd's
// user@.service). Only Unix sockets are taken from an address.
func Socket(which string, getenv func(string) string) string {
	variable, usual := "DBUS_SYSTEM_BUS_ADDRESS", System
	if which == "user" {
		runtime := cmp.Or(getenv("XDG_RUNTIME_DIR"), "/run/user/"+strconv.Itoa(os.Getuid()))
		variable, usual = "DBUS_SESSION_BUS_ADDRESS", runtime+"/bus"
	}
	for address := range strings.SplitSeq(getenv(variable), ";") {
		transport, settings, _ := strings.Cut(address, ":")
		if transport != "unix" {
			continue
		}
		for setting := range strings.SplitSeq(settings, ",") {
			name, value, _ := strings.Cut(setting, "=")
			if value, err := url.PathUnescape(value); err == nil && name == "path" {
				return value
			} else if err == nil && name == "abstract" {
				return "@" + value
			}
		}
	}
	return usual
}
