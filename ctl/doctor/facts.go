package doctor

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Facts are all that the checks look at.
type Facts struct {
	Now time.Time
	OS  string // a GOOS

	Me     Me
	Mine   string // version of this program
	Beside Beside
	Places []Place

	Info    *provider.DaemonInfo  // nil: no daemon told
	InfoErr *provider.Error       // why not
	Health  *provider.Health      // nil: not told
	Notify  *provider.NotifyReply // nil: not told
	Fleet   *provider.FleetReply  // nil: not told
	Rows    []provider.Status
	RowsErr *provider.Error
	Ahead   map[string]time.Duration // by how much the clocks of providers are ahead of ours, by id

	Processes []Process // of providerd, as far as they can be seen
	Units     []Unit
	Group     Group
	File      File
	Proxies   map[string]string // the caller's, as provider.ProxiesOf has them
	KeysSet   map[string]bool   // variables that hold keys, and are set for the caller
	Clock     Clock
	Disk      Disk
}

// Me is who asks.
type Me struct {
	UID  int // −1 where there are no numbers
	Root bool
}

// Beside is the providerd in the folder of this program.
type Beside struct {
	Path    string // empty: there is none
	Version string
	Problem string // why it is not run
}

// A Place is where a daemon was looked for.
type Place struct {
	Path     string
	Variable string          // that led there; empty: none
	Chosen   bool            // by the caller
	Err      *provider.Error // nil: something accepts connections there
	Absent   bool            // nobody listens there, and somebody may
	Exists   bool            // there is something at the path
	Mode     fs.FileMode
	UID      int // the file's owner; −1: not known
	PID      int // of who listens; 0: not known
	Listener int // the user of who listens; −1: not known
}

// A Process is a providerd that runs.
type Process struct {
	PID    int
	UID    int
	Socket string // where it listens; empty: not known
	State  string // as in proc_stat(5): R, S, D, T, Z; empty: not known
}

// A Unit is what the service manager says of its providerd.
type Unit struct {
	Manager   string // "systemd", or the name of another one's tool
	User      bool   // a user's own, not the machine's
	Problem   string // why the manager does not tell
	Values    map[string]string
	Fragment  string   // the unit's own text, without its drop-ins
	Journal   []string // its last lines, if something is wrong
	Socket    string   // UnitFileState of providerd.socket
	Line      string   // what another manager says, in one line
	Running   bool     // what another manager says
	Lingering Linger   // of a user's own
	Installed bool
}

// Linger says whether a user's services run while that user is logged out.
type Linger int

const (
	LingerUnknown Linger = iota
	LingerOff
	LingerOn
)

// Group is the group of those who may change the daemon.
type Group struct {
	Name   string // empty: none is known of
	Exists bool
	Listed bool // the caller is in it by /etc/group
	Active bool // this process has it
}

// File is the configuration file that is in force, or would be.
type File struct {
	Path     string // empty: there is none to be told
	System   bool   // the whole machine's
	Exists   bool
	Err      string // why it cannot be looked at or read
	Modified time.Time
	Checked  bool   // "providerd config check" judged it
	Good     bool   // it is
	Said     string // what that said
	Foreign  bool   // it was judged by another user, or with other variables, than the daemon's
}

// Clock is what the system says of its clock.
type Clock struct {
	Known        bool
	Synchronised bool
}

// Disk is where the database is, or would be.
type Disk struct {
	Folder   string
	Known    bool
	Hangs    bool // it did not answer
	Free     uint64
	Total    uint64
	Inodes   uint64 // that are free
	AllNodes uint64 // 0: it does not count them
	ReadOnly bool
	Refused  *provider.Error // why a daemon would not use the folder; nil: it would, or that is not known
}

// system reports whether the daemon that is meant is the whole machine's.
func (f *Facts) system() bool {
	if f.Info != nil && f.Info.Setup != nil {
		return f.Info.Setup.System
	}
	return f.File.System
}

// isService reports whether the service manager has the daemon that is meant.
func (f *Facts) isService() bool {
	return slices.ContainsFunc(f.Units, func(u Unit) bool { return u.Installed && u.User != f.system() })
}

// owner reports whether the daemon that is meant may be the caller's to look after. It is
// not where its socket, which is not the machine's, may not be opened.
func (f *Facts) owner() bool {
	return f.InfoErr == nil || f.InfoErr.Code != provider.Denied || f.File.System
}

// restart is how to start the daemon anew.
func (f *Facts) restart() string { return f.service("restart") }

// service is how to have the service manager do something with the daemon that is meant;
// where it is no service, how to do it by hand.
func (f *Facts) service(verb string) string {
	for _, u := range f.Units {
		switch {
		case !u.Installed || u.User == f.system():
		case u.User: // a person's own
			return "providerd service " + verb + " --user"
		default:
			return "sudo providerd service " + verb
		}
	}
	switch p, ok := f.listener(); {
	case verb != "restart":
		return "providerd"
	case ok: // what the daemon says of its pid may be of another namespace, or untrue
		return f.sudo(fmt.Sprintf("kill %d", p.PID)) + ", and start providerd as before"
	}
	return "end providerd, and start it as before"
}

// ours reports whether the daemon that is meant is the caller's own.
func (f *Facts) ours() bool { return !f.system() || f.Me.Root }

// admin is a command that only an administrator of the daemon may give.
func (f *Facts) admin(command string) string {
	if f.Info != nil && f.Info.Setup != nil && f.Info.Setup.Caller.Admin {
		return command
	}
	return f.sudo(command)
}

// sudo is a command that takes the rights of the daemon's user.
func (f *Facts) sudo(command string) string {
	if f.ours() {
		return command
	}
	return "sudo " + command
}
