package judge

import "github.com/providerd/providerd/store/provider"

// A Vendor is the vendor's own status feed as a witness.
type Vendor struct {
	incident *provider.Incident // nil: it reports nothing, or nothing that can be told
}

// overlay puts what the vendor says over what our probes found: an outage makes a
// provider that answers DEGRADED, less than that is told beside it, and of one that
// does not answer it says nothing.
func (w Vendor) overlay(found claim) claim {
	if w.incident == nil || found.none() {
		return found
	}
	said := "vendor: " + w.incident.Name
	switch {
	case w.incident.Impact.Outage() && (found.reason.Healthy() || found.reason == provider.Slow):
		return claim{provider.VendorIncident, said}
	case found.reason.Healthy() && found.detail != "":
		found.detail += "; " + said
	case found.reason.Healthy():
		found.detail = said
	}
	return found
}
