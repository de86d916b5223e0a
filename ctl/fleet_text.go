package ctl

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// What follows is pure: what people read about a fleet, in the terminal and in the dashboard.

// FleetLine is one line about this machine's part in its fleet.
func FleetLine(r *provider.FleetReply, now time.Time) string {
	since := ""
	if !r.Since.IsZero() {
		since = " for " + span(now.Sub(r.Since.Time))
	}
	name := cmp.Or(r.Name, "the fleet")
	why := ""
	if r.Why != "" {
		why = ": " + r.Why
	}
	switch r.Mode {
	case provider.FleetOK:
		text := fmt.Sprintf("%s: a member%s as %s, with %s", name, since, r.Member, others(len(r.Members)-1))
		if n := heldHere(r); len(r.Shared) > 0 {
			text += fmt.Sprintf("; probes %d of %s here", n, plural(len(r.Shared), "shared provider"))
		}
		return text
	case provider.FleetAlone:
		return name + ": alone" + since + why + "; everything is probed here"
	case provider.FleetConnecting:
		return name + ": connecting" + since + why + "; everything is probed here"
	case provider.FleetOff:
		if r.Why != "" {
			return name + ": off" + why
		}
		return "this machine is in no fleet"
	}
	return name + ": " + string(r.Mode) + since + why
}

func others(n int) string {
	if n <= 0 {
		return "no other machine"
	}
	return plural(n, "other machine")
}

func heldHere(r *provider.FleetReply) (n int) {
	for i := range r.Shared {
		if r.Shared[i].Here {
			n++
		}
	}
	return n
}

// FleetMemberTitles are the titles of [FleetMemberCells].
var FleetMemberTitles = []string{"MEMBER", "MODE", "VERSION", "LAG", "SINCE", "PROBES", "FOR THIS MACHINE"}

// FleetMemberCells are what is known of a member, in columns.
func FleetMemberCells(m *provider.FleetMember) []string {
	name := m.Member
	if m.Self {
		name += " (here)"
	}
	lag := unknown
	if m.LagMS != nil {
		lag = cmp.Or(strings.TrimPrefix(latency(*m.LagMS), unknown), "<0.1 ms")
	}
	since := unknown
	if m.JoinedS != nil {
		since = span(time.Duration(*m.JoinedS)*time.Second) + " ago"
	}
	probes := strconv.Itoa(m.Held)
	switch {
	case m.OtherKey:
		probes = unknown // of other fingerprints than this machine's
	case m.Shares > 0:
		probes += " of " + strconv.Itoa(m.Shares)
	}
	return []string{name, string(m.Mode), or(m.Version), lag, since, probes, or(strings.Join(m.Holds, ", "))}
}

// FleetSharedTitles are the titles of [FleetSharedCells].
var FleetSharedTitles = []string{"SHARED", "PROBER", "MEMBERS", "AGE", "OWN CHECKS", "NOTE"}

// FleetSharedCells are who probes a provider, in columns.
func FleetSharedCells(s *provider.FleetShared) []string {
	prober := cmp.Or(s.Prober, "nobody now")
	if s.Here {
		prober += " (here)"
	}
	age := unknown
	if s.AgeMS != nil {
		age = span(time.Duration(*s.AgeMS) * time.Millisecond)
	}
	var notes []string
	if s.Disagrees {
		notes = append(notes, "this machine sees otherwise, and its own probes count here")
	}
	if s.LimitMS > 0 {
		note := "limited for " + span(time.Duration(s.LimitMS)*time.Millisecond)
		if s.LimitBy != "" {
			note += ", as " + s.LimitBy + " found"
		}
		notes = append(notes, note)
	}
	return []string{s.ID, prober, strconv.Itoa(s.Members), age, strconv.FormatUint(s.OwnChecks, 10), or(strings.Join(notes, "; "))}
}

// FleetRemarks are what a person should know about a fleet that works otherwise.
func FleetRemarks(r *provider.FleetReply, now time.Time) (remarks []string) {
	if versions := fleetVersions(r); len(versions) > 1 {
		remarks = append(remarks, "members run different versions: "+strings.Join(versions, ", "))
	}
	if odd := r.WithOtherKey(); len(odd) > 0 {
		remarks = append(remarks, provider.SomeOf(odd)+" and this machine share nothing, because their fleet_key differs: give all members the same file")
	}
	if left := r.CertificateExpires.Sub(now); !r.CertificateExpires.IsZero() && left < provider.FleetCertificateSoon {
		text := "the certificate of " + r.Member + " expired " + ago(r.CertificateExpires, now)
		if left > 0 {
			text = "the certificate of " + r.Member + " expires " + in(r.CertificateExpires, now)
		}
		remarks = append(remarks, text)
	}
	if r.Mode == provider.FleetAlone && r.StretchedIntervals > 1 {
		remarks = append(remarks, fmt.Sprintf("shared providers are probed up to %.3g times less often meanwhile, because every member does so now", r.StretchedIntervals))
	}
	return remarks
}

// fleetVersions are the versions of the members, in their order, each once.
func fleetVersions(r *provider.FleetReply) (versions []string) {
	seen := map[string]bool{}
	for i := range r.Members {
		if v := r.Members[i].Version; v != "" && !seen[v] {
			seen[v] = true
			versions = append(versions, v)
		}
	}
	return versions
}
