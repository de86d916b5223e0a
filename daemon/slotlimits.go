package daemon

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/slots"
)

// slotLimits are the limits of the providers that have slots.
func slotLimits(providers []*config.Provider) map[string]slots.Limit {
	limits := map[string]slots.Limit{}
	for _, p := range providers {
		if p.Slots.Number > 0 {
			limits[p.ID] = slots.Limit{Slots: p.Slots.Number, Gap: p.Slots.Gap}
		}
	}
	return limits
}
