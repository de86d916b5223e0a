package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// connectsWithin is how long a daemon may take to become a member of its fleet.
const connectsWithin = time.Minute

// fleet says whether this machine is a member of its fleet, and what will end that.
func fleet(f *Facts) (all []Finding) {
	r := f.Fleet
	if r == nil || r.Mode == provider.FleetOff && r.Why == "" {
		return nil
	}
	for _, check := range []func(*Facts) (Finding, bool){membership, fleetCertificate, fleetKeys, fleetVersions} {
		if found, bad := check(f); bad {
			found.Subject = "fleet"
			all = append(all, found)
		}
	}
	if len(all) == 0 {
		text := "connecting to " + r.Name
		if r.Mode == provider.FleetOK {
			text = fmt.Sprintf("a member of %s as %s, with %s", r.Name, r.Member, counted(max(0, len(r.Members)-1), "other machine"))
		}
		return one("fleet", OK, text)
	}
	return all
}

// membership is why this machine is no member, and since when.
func membership(f *Facts) (found Finding, bad bool) {
	r := f.Fleet
	lasts := f.Now.Sub(r.Since.Time)
	since := ""
	if !r.Since.IsZero() {
		since = " for " + span(lasts)
	}
	found = Finding{Level: Warn, Fix: []string{cmp.Or(r.Hint, "find out why: "+f.admin("providerd fleet check"))}}
	if r.Why != "" {
		found.Details = []string{r.Why}
	}
	switch {
	case r.Mode == provider.FleetOK:
		return found, false
	case strings.Contains(r.Why, provider.FleetNameTaken):
		found.Level, found.Summary = Fail, fmt.Sprintf("the name %s is taken in %s%s: another machine is a member by it", r.Member, r.Name, since)
		found.Details = nil
	case r.Mode == provider.FleetOff:
		found.Level, found.Summary = Fail, "a fleet is configured, and cannot be used"
	case r.Mode == provider.FleetConnecting && !r.Since.IsZero() && lasts < connectsWithin && r.Why == "":
		return found, false
	case r.Mode == provider.FleetAlone:
		found.Summary = "cut off from " + cmp.Or(r.Name, "the fleet") + since + ": everything is probed here"
	default:
		found.Summary = "not a member of " + cmp.Or(r.Name, "the fleet") + since + ": everything is probed here"
	}
	return found, true
}

// fleetCertificate is that this member's certificate expires.
func fleetCertificate(f *Facts) (found Finding, bad bool) {
	expires := f.Fleet.CertificateExpires
	left := expires.Sub(f.Now)
	switch {
	case expires.IsZero() || left >= provider.FleetCertificateSoon:
		return found, false
	case left <= 0:
		found = Finding{Level: Fail, Summary: fmt.Sprintf("the certificate of %s expired %s ago", f.Fleet.Member, span(left))}
	default:
		found = Finding{Level: Warn, Summary: fmt.Sprintf("the certificate of %s expires in %s", f.Fleet.Member, span(left))}
	}
	found.Fix = []string{"put a new one into cert_file and key_file of [fleet]; the next connection to etcd uses it"}
	return found, true
}

// fleetKeys is that members have another fleet's key.
func fleetKeys(f *Facts) (found Finding, bad bool) {
	odd := f.Fleet.WithOtherKey()
	if len(odd) == 0 {
		return found, false
	}
	return Finding{
		Level: Warn, Summary: "the fleet_key of some members differs, so this machine shares nothing with them",
		Details: []string{provider.SomeOf(odd)},
		Fix:     []string{"give all members the same file, and name it as fleet_key_file; then restart providerd where it changed"},
	}, true
}

// fleetVersions is that members run different versions.
func fleetVersions(f *Facts) (found Finding, bad bool) {
	members := map[string][]string{}
	var versions []string
	for i := range f.Fleet.Members {
		m := &f.Fleet.Members[i]
		if m.Version == "" {
			continue
		}
		if members[m.Version] == nil {
			versions = append(versions, m.Version)
		}
		members[m.Version] = append(members[m.Version], m.Member)
	}
	if len(versions) < 2 {
		return found, false
	}
	slices.SortStableFunc(versions, func(a, b string) int { return len(members[b]) - len(members[a]) })
	found = Finding{Level: Warn, Summary: "the members run different versions", Fix: []string{"install one release on all of them"}}
	for _, v := range versions {
		found.Details = append(found.Details, v+": "+provider.SomeOf(members[v]))
	}
	return found, true
}
