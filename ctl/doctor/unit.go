package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// unit says what the service manager makes of the daemon.
func unit(f *Facts) (all []Finding) {
	const subject = "unit"
	installed := false
	for i := range f.Units {
		u := &f.Units[i]
		installed = installed || u.Installed
		switch {
		case u.Problem != "":
			all = append(all, one(subject, Skip, u.name()+": "+u.Problem)...)
		case !u.Installed:
		case u.Manager != "systemd":
			all = append(all, otherManager(f, u))
		default:
			all = append(all, u.state(f))
			all = append(all, u.dropIns()...)
		}
	}
	switch {
	case installed || len(f.Units) == 0 || len(all) > 0:
		return all
	case f.Info != nil:
		return one(subject, OK, "no service is installed: the daemon was started by hand", "to start it at boot: sudo providerd service install")
	}
	return one(subject, Warn, "no service is installed", "sudo providerd service install", "or for yourself: providerd service install --user")
}

func otherManager(f *Facts, u *Unit) Finding {
	found := Finding{Subject: "unit", Level: OK, Summary: u.Line}
	if !u.Running {
		found.Level, found.Fix = Warn, []string{f.service("start")}
	}
	return found
}

func (u *Unit) name() string {
	if u.User {
		return "your own providerd.service"
	}
	return "providerd.service"
}

// ctl is a systemctl command for the unit.
func (u *Unit) ctl(verb string) string {
	if u.User {
		return "systemctl --user " + verb
	}
	return "sudo systemctl " + verb
}

func (u *Unit) journal() string {
	if u.User {
		return "journalctl --user -u providerd -e"
	}
	return "sudo journalctl -u providerd -e"
}

// state is how the unit stands.
func (u *Unit) state(f *Facts) Finding {
	v := u.Values
	found := Finding{Subject: "unit", Level: OK,
		Summary: fmt.Sprintf("%s: %s (%s), %s", u.name(), v["ActiveState"], v["SubState"], cmp.Or(v["UnitFileState"], "not enabled"))}
	why := ""
	if result := v["Result"]; result != "" && result != "success" {
		why = ": " + result + exitCode(v["ExecMainStatus"])
		if code, ok := strings.CutPrefix(why, ": exit-code, "); ok {
			why = ": " + code
		}
	}
	switch {
	case v["LoadState"] == "masked":
		found.Level, found.Summary, found.Fix = Fail, u.name()+" is masked: it cannot be started", []string{u.ctl("unmask providerd.service")}
	case v["LoadState"] != "loaded":
		found.Level, found.Summary, found.Fix = Fail, u.name()+" cannot be read: "+cmp.Or(v["LoadError"], v["LoadState"]), []string{u.ctl("cat providerd.service")}
	case v["ActiveState"] == "failed":
		found.Level, found.Summary, found.Fix = Fail, u.name()+" has failed"+why, []string{u.journal(), u.ctl("restart providerd.service")}
	case v["SubState"] == "auto-restart":
		found.Level, found.Summary = Fail, fmt.Sprintf("%s keeps ending, %s times so far%s", u.name(), cmp.Or(v["NRestarts"], "several"), why)
		found.Fix = []string{u.journal()}
	case v["ActiveState"] == "inactive" && u.Socket == "enabled":
		found.Summary += "; providerd.socket starts it at the first request"
	case v["ActiveState"] == "inactive" && (u.User != f.system() && f.Info == nil):
		found.Level, found.Fix = Fail, []string{u.ctl("start providerd.service")}
	case v["ActiveState"] == "inactive" && (v["UnitFileState"] == "disabled" || f.Info == nil): // it is not the one that is meant
	case v["ActiveState"] == "inactive":
		found.Level, found.Summary = Warn, found.Summary+": another providerd runs, and at the next boot this one will too"
		found.Fix = []string{"to keep it off: " + u.ctl("disable providerd.service"), "or to use it, end the other, then: " + u.ctl("start providerd.service")}
	case v["NeedDaemonReload"] == "yes":
		found.Level, found.Summary = Warn, found.Summary+"; its files have changed since systemd read them"
		found.Fix = []string{u.ctl("daemon-reload"), u.ctl("restart providerd.service")}
	case v["UnitFileState"] == "disabled" && u.Socket != "enabled":
		found.Level, found.Summary, found.Fix = Warn, found.Summary+": it does not start at boot", []string{u.ctl("enable providerd.service")}
	}
	if found.Level != OK {
		found.Details = u.Journal
	}
	if found.Level == Fail && u.User != f.system() && f.File.Checked && !f.File.Good && u.stopped() {
		found.Fix = append([]string{"see configuration, below"}, found.Fix...)
	}
	if u.User && found.Level == OK && u.Lingering == LingerOff {
		found.Summary += "; it ends with your last session"
		found.Fix = []string{"to keep it running: loginctl enable-linger"}
	}
	return found
}

// stopped reports whether the unit does not run, though nothing but a command keeps it from
// being started.
func (u *Unit) stopped() bool {
	v := u.Values
	return v["LoadState"] != "loaded" || v["ActiveState"] == "failed" || v["SubState"] == "auto-restart" || v["ActiveState"] == "inactive" && u.Socket != "enabled"
}

// unitAtFault reports whether the unit of the daemon that is meant tells why none answers.
func (f *Facts) unitAtFault() bool {
	return slices.ContainsFunc(f.Units, func(u Unit) bool {
		return u.Installed && u.Manager == "systemd" && u.Problem == "" && u.User != f.system() && u.stopped()
	})
}

// exitCode says what systemd's own codes mean (systemd.exec(5)); those of a program are
// numbers.
func exitCode(code string) string {
	switch code {
	case "", "0":
		return ""
	case "203":
		return ", the program cannot be run (203)"
	case "216", "217":
		return ", its user or group does not exist (" + code + ")"
	case "226":
		return ", its folders cannot be set up (226): a container may not allow it"
	case "243":
		return ", its credentials cannot be read (243)"
	}
	return ", exit code " + code
}

// A dropInFault is what a drop-in can take from the unit that the daemon needs.
type dropInFault struct {
	setting string
	broken  func(is, was string) bool // was is the unit's own text
	says    string
}

func dropInFaults() []dropInFault {
	return []dropInFault{
		{"LoadCredential", lost("LoadCredential="), "keys in /etc/providerd/credentials do not arrive"},
		{"EnvironmentFiles", lost("EnvironmentFile="), "/etc/providerd/environment is not read"},
		{"RuntimeDirectory", lost("RuntimeDirectory="), "the socket's folder is not made"},
		{"StateDirectory", lost("StateDirectory="), "the database's folder is not made"},
		{"Type", other("Type=notify", "notify", "notify-reload"), "systemd does not learn when it is ready, or hangs"},
		{"NotifyAccess", other("NotifyAccess=main", "main", "exec", "all"), "systemd does not learn when it is ready, or hangs"},
		{"PrivateUsers", equal("yes", "self", "identity"), "the daemon cannot tell who asks"},
		{"PrivateNetwork", equal("yes"), "the daemon reaches no provider"},
		{"IPAddressDeny", func(is, _ string) bool { return strings.Contains(is, "::/0") || strings.Contains(is, "0.0.0.0/0") }, "the daemon may reach no provider"},
	}
}

// lost is a list that the unit sets, and that is empty now.
func lost(line string) func(is, was string) bool {
	return func(is, was string) bool { return is == "" && strings.Contains(was, "\n"+line) }
}

// other is a value that the unit sets, and that is none of the good ones now.
func other(line string, good ...string) func(is, was string) bool {
	return func(is, was string) bool {
		return is != "" && strings.Contains(was, "\n"+line) && !equal(good...)(is, was)
	}
}

func equal(values ...string) func(is, was string) bool {
	return func(is, _ string) bool {
		for _, value := range values {
			if is == value {
				return true
			}
		}
		return false
	}
}

// dropIns says which of them take what the daemon needs.
func (u *Unit) dropIns() []Finding {
	files := strings.Fields(u.Values["DropInPaths"])
	if len(files) == 0 {
		return nil
	}
	found := Finding{Subject: "drop-ins", Level: OK, Summary: counted(len(files), "drop-in") + " of " + u.name() + ", and none takes away what it needs", Details: files}
	for _, fault := range dropInFaults() {
		if is, told := u.Values[fault.setting]; told && fault.broken(is, u.Fragment) {
			if found.Level == OK {
				found.Level, found.Summary = Warn, "a drop-in of "+u.name()+" takes away what it needs"
				found.Fix = []string{"see which: " + strings.TrimPrefix(u.ctl("cat providerd.service"), "sudo "), "then: " + u.ctl("revert providerd.service") + ", or correct it, and: " + u.ctl("restart providerd.service")}
			}
			found.Details = append(found.Details, fmt.Sprintf("%s=%s: %s", fault.setting, is, fault.says))
		}
	}
	return []Finding{found}
}
