// Package packaging contains the files with which service managers run providerd. The
// packages install them unchanged; "providerd service install" fills in the path of its
// own program. It imports only the standard library.
package packaging

import (
	_ "embed"
	"html"
	"strings"
)

// Program is where the packages install the program, and the path in all files except
// launchd's.
const Program = "/usr/bin/providerd"

const programOfLaunchd = "/usr/local/bin/providerd"

// LaunchdLabel is the name of launchd's job and of its file.
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

// SystemUnit is the system's providerd.service for the program at exec, an absolute path
// without blanks, quotes or %.
func SystemUnit(exec string) string { return withProgram(systemUnit, "ExecStart=", Program, exec) }

// UserUnit is a user's own providerd.service for the program at exec; see [SystemUnit].
func UserUnit(exec string) string { return withProgram(userUnit, "ExecStart=", Program, exec) }

// SocketUnit is providerd.socket, which starts the system's service with its first client.
func SocketUnit() string { return socketUnit }

// Sysusers is the file from which systemd-sysusers creates the service's user and group.
func Sysusers() string { return sysusers }

// OpenRC is the script in /etc/init.d for the program at exec; see [SystemUnit].
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

// Ours reports whether a text is one of these files, of any version and for any program.
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
