// Package packaging holds the texts by which service managers run providerd. The
// packages install the files as they are; "providerd service install" gives them
// the path of its own program. It imports nothing but the standard library.
package packaging

import (
	_ "embed"
	"html"
	"strings"
)

// Program is where the packages put the program, and what the texts say but for
// launchd's.
const Program = "/usr/bin/providerd"

const programOfLaunchd = "/usr/local/bin/providerd"

// LaunchdLabel is the name of the job for launchd, and of its file.
const LaunchdLabel = "com.github.providerd"

var (
	//go:embed systemd/providerd.service
	systemUnit string
	//go:embed systemd/user/providerd.service
	userUnit string
	//go:embed systemd/providerd.socket
	socketUnit string
	//go:embed systemd/sysusers.conf
	sysusers string
	//go:embed openrc/providerd
	openRC string
	//go:embed launchd/com.github.providerd.plist
	launchd string
)

// SystemUnit is the system's providerd.service for the program at exec, which is
// an absolute path without blanks, quotes or %.
func SystemUnit(exec string) string { return withProgram(systemUnit, "ExecStart=", Program, exec) }

// UserUnit is a user's own providerd.service for the program at exec, as for
// [SystemUnit].
func UserUnit(exec string) string { return withProgram(userUnit, "ExecStart=", Program, exec) }

// SocketUnit is providerd.socket, which starts the system's service with its
// first client.
func SocketUnit() string { return socketUnit }

// Sysusers is what systemd-sysusers makes the service's user and group from.
func Sysusers() string { return sysusers }

// OpenRC is the script in /etc/init.d for the program at exec, as for
// [SystemUnit].
func OpenRC(exec string) string { return withProgram(openRC, `command="`, Program, exec) }

// Launchd is the property list of a job that runs the program at exec and writes
// its log to the file log: absolute paths.
func Launchd(exec, log string) string {
	text := withProgram(launchd, "<string>", programOfLaunchd, html.EscapeString(exec))
	return strings.Replace(text, "<string>/var/log/providerd.log<", "<string>"+html.EscapeString(log)+"<", 1)
}

func withProgram(text, before, old, exec string) string {
	return strings.Replace(text, before+old, before+exec, 1)
}

// Ours reports whether a text is one of these, of any version and for any program.
func Ours(text string) bool {
	for _, mark := range []string{
		"# The whole machine's providerd.", "# One user's own providerd.", "<string>" + LaunchdLabel + "</string>",
	} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}
