package judge

import "github.com/providerd/providerd/store/provider"

// A Vendor is the vendor's own status feed as a witness.
type Vendor struct {
	incident *provider.Incident // nil: no incident, or unknown
}

// overlay combines what the vendor reports with what our probes found. An outage makes a
// provider that answers DEGRADED, a smaller incident is only added to the detail, and for a
// provider that does not answer the report changes nothing.
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
