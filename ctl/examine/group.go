package examine

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/providerd/providerd/ctl/doctor"
)

// groupOf is the group of those who may change the daemon that answered. Who is in it is
// read from /etc/group; members that another service knows show in this process alone.
func groupOf(f *doctor.Facts) doctor.Group {
	if f.Info == nil || f.Info.Setup == nil || f.Info.Setup.AdminGroup == "" {
		return doctor.Group{}
	}
	text, _ := os.ReadFile("/etc/group")
	users, _ := os.ReadFile("/etc/passwd")
	active, _ := os.Getgroups()
	return groupIn(string(text), nameOf(string(users), f.Me.UID), f.Info.Setup.AdminGroup, append(active, os.Getegid()))
}

// groupIn reads group(5). A group may be named by its number.
func groupIn(text, user, name string, active []int) doctor.Group {
	g := doctor.Group{Name: name}
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 4 || fields[0] != name && fields[2] != name {
			continue
		}
		gid, err := strconv.Atoi(fields[2])
		g.Exists = err == nil
		g.Listed = user != "" && slices.Contains(strings.Split(fields[3], ","), user)
		g.Active = g.Exists && slices.Contains(active, gid)
		return g
	}
	return g
}

// nameOf is a user's name, by passwd(5); empty if it is not there.
func nameOf(text string, uid int) string {
	for line := range strings.Lines(text) {
		if fields := strings.Split(line, ":"); len(fields) > 2 && fields[2] == strconv.Itoa(uid) {
			return fields[0]
		}
	}
	return ""
}
