package judge

import (
	"time"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/store/provider"
)

// A situation is a reason with its detail.
type situation struct {
	reason provider.Reason
	detail string
}

// Hear takes in what the vendor's own status feed reports; nil is nothing, or
// nothing that can be told. It counts at once and both ways, without a probe: an
// outage makes a provider that answers DEGRADED, less than that is told beside the
// row, and of one that does not answer the row says what the probe saw. When the
// row was checked, and its generation, are the probe's and stay.
// The event is nil when neither state nor reason changed.
func Hear(r Record, vendor *provider.Incident, p *config.Provider, now time.Time) (Record, *provider.Event) {
	was := r.Status
	r.Vendor, r.Status.Incident = vendor, vendor
	if r.found.reason == "" || r.undecided {
		return r, nil // the next probe's row has it
	}
	r.settle(r.found.reason, r.found.detail, p)
	return r.close(was, now)
}

// settle makes what was found the row's own, together with what the vendor says.
func (r *Record) settle(reason provider.Reason, detail string, p *config.Provider) {
	r.found = situation{reason, detail}
	if v := r.Vendor; v != nil {
		said := "vendor: " + v.Name
		switch {
		case v.Impact.Outage() && (healthy(reason) || reason == provider.Slow):
			reason, detail = provider.VendorIncident, said
			r.Status.LastError = join(string(reason), detail)
		case healthy(reason) && detail != "":
			detail += "; " + said
		case healthy(reason):
			detail = said
		}
	}
	r.become(reason, detail, p)
}
