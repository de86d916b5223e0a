package doctor

import (
	"fmt"
	"slices"

	"github.com/providerd/providerd/store/provider"
)

// others are daemons that run beside the one that answered, and that the caller may have
// forgotten: their own, and the service. Those of other users are no trouble.
func others(f *Facts) (all []Finding) {
	answered := []int{f.Info.PID}
	for _, place := range f.Places {
		if place.Err == nil {
			answered = append(answered, place.PID)
		}
	}
	for _, p := range f.Processes {
		u := f.unitOf(p)
		if p.State == "Z" || slices.Contains(answered, p.PID) || u == nil && p.UID != f.Me.UID {
			continue
		}
		found := Finding{Subject: "daemon", Level: Warn, Summary: fmt.Sprintf("another providerd runs too, pid %d: each probes the providers, and keeps a history, of its own", p.PID)}
		if p.Socket != "" {
			found.Fix = []string{"to ask that one: providerctl --socket " + provider.ShellWord(p.Socket) + " doctor"}
		}
		end := fmt.Sprintf("kill %d", p.PID)
		if u != nil {
			end = u.ctl("disable --now providerd.service")
		}
		found.Fix = append(found.Fix, "to end it: "+end)
		all = append(all, found)
	}
	return all
}

// unitOf is the unit whose process it is; nil if it is none's.
func (f *Facts) unitOf(p Process) *Unit {
	for i := range f.Units {
		if pid := f.Units[i].Values["MainPID"]; pid != "0" && pid == fmt.Sprint(p.PID) {
			return &f.Units[i]
		}
	}
	return nil
}
