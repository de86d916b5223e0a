package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// daemon says whether one runs and answers, and whether it keeps its promises.
func daemon(f *Facts) []Finding {
	const subject = "daemon"
	switch e := f.InfoErr; {
	case f.Info != nil:
		return running(f)
	case e == nil:
		return one(subject, Skip, "not asked")
	case e.Code == provider.TimedOut:
		return stuck(f, e)
	case e.Code == provider.Denied:
		return one(subject, Skip, "cannot be asked: you may not open its socket")
	}
	found := Finding{Subject: subject, Level: Fail, Summary: f.InfoErr.Message}
	var pids []string
	ask := "if you mean that one: providerctl --socket PATH doctor"
	for _, p := range f.Processes {
		if f.mayMean(p) {
			pids = append(pids, strconv.Itoa(p.PID))
			found.Fix = append(found.Fix, stopped(p)...)
			if p.Socket != "" {
				ask = "if you mean that one: providerctl --socket " + provider.ShellWord(p.Socket) + " doctor"
			}
		}
	}
	if pids != nil {
		found.Details = []string{"a providerd runs, and listens elsewhere, or not yet: pid " + strings.Join(pids, ", ")}
		found.Fix = append(found.Fix, ask)
	}
	switch {
	case Worst(socket(f)) == Fail:
		found.Level, found.Summary = Skip, "cannot be asked: see socket, below"
	case f.unitAtFault():
		found.Level, found.Summary = Skip, "is not running: see unit, below"
	case f.InfoErr.Hint != "":
		found.Fix = append(found.Fix, f.InfoErr.Hint)
	}
	return []Finding{found}
}

// mayMean reports whether a process may be the daemon that the caller means: their own, or
// the service. Without systemd, which would name the service's, any may be that for root.
func (f *Facts) mayMean(p Process) bool {
	systemd := slices.ContainsFunc(f.Units, func(u Unit) bool { return u.Manager == "systemd" && u.Problem == "" })
	return p.State != "Z" && (p.UID == f.Me.UID || f.unitOf(p) != nil || f.Me.Root && !systemd)
}

// stuck is a daemon that accepts connections and does not answer.
func stuck(f *Facts, e *provider.Error) []Finding {
	found := Finding{Subject: "daemon", Level: Fail, Summary: e.Message}
	if p, ok := f.listener(); ok {
		switch p.State {
		case "D":
			found.Summary += fmt.Sprintf("; process %d waits for a disk", p.PID)
			found.Fix = []string{"check the disk: findmnt; sudo dmesg | tail"}
		case "T", "t":
			found.Summary += fmt.Sprintf("; process %d is stopped", p.PID)
			found.Fix = []string{fmt.Sprintf("let it continue: %s", f.sudo(fmt.Sprintf("kill -CONT %d", p.PID)))}
			return []Finding{found}
		default:
			found.Fix = []string{fmt.Sprintf("to report it, first: %s", f.sudo(fmt.Sprintf("kill -ABRT %d", p.PID)))}
		}
	}
	found.Fix = append(found.Fix, f.restart())
	return []Finding{found}
}

// listener is the process that listens where the daemon was found, if it can be seen.
func (f *Facts) listener() (Process, bool) {
	for _, place := range f.Places {
		for _, p := range f.Processes {
			if place.Err == nil && p.PID == place.PID {
				return p, true
			}
		}
	}
	return Process{}, false
}

// stopped is what to do about a process that somebody stopped.
func stopped(p Process) []string {
	if p.State == "T" || p.State == "t" {
		return []string{fmt.Sprintf("process %d is stopped, let it continue: kill -CONT %d", p.PID, p.PID)}
	}
	return nil
}

// cureOf is what to do about a check of the daemon's that fails; docs/operations.md.
func cureOf(check string) string {
	switch check {
	case "store":
		return "see what is free, and whether it can be written: df -h FOLDER; findmnt -T FOLDER"
	case "disk":
		return "see whether the disk answers: findmnt; sudo dmesg | tail"
	case "socket":
		return "move away what is in the socket's place: ls -l SOCKET"
	case "resources":
		return "raise LimitNOFILE= or TasksMax= of the service, or: ulimit -n 16384"
	case "scheduler":
		return "see what takes the processors: top"
	case "log":
		return "check what reads its standard error"
	case "notify":
		return "see why: providerctl notify list"
	}
	return ""
}

func running(f *Facts) []Finding {
	i := f.Info
	all := others(f)
	found := Finding{Subject: "daemon", Level: OK,
		Summary: fmt.Sprintf("runs, pid %d, for %s, %s", i.PID, span(time.Duration(i.UptimeSeconds)*time.Second), counted(i.Providers, "provider"))}
	switch {
	case f.Health == nil:
		found.raise(Warn, ", and does not report its health")
		return append([]Finding{found}, all...)
	case f.Health.Status == "ok":
		return append([]Finding{found}, all...)
	}
	found.Level, found.Summary = Fail, fmt.Sprintf("runs, pid %d, and fails a health check", i.PID)
	for _, name := range slices.Sorted(maps.Keys(f.Health.Checks)) {
		if problem := f.Health.Checks[name]; problem != "ok" {
			found.Details = append(found.Details, name+": "+problem)
			if cure := cureOf(name); cure != "" {
				found.Fix = append(found.Fix, place(cure, f))
			}
		}
	}
	return append([]Finding{found}, all...)
}
