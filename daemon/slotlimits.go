package daemon

import (
	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/slots"
)

// slotLimits are the limits of the providers that have slots.
func slotLimits(cfg *config.Config) map[string]slots.Limit {
	limits := map[string]slots.Limit{}
	for i := range cfg.Providers {
		if p := &cfg.Providers[i]; p.Slots.Number > 0 {
			limits[p.ID] = slots.Limit{Slots: p.Slots.Number, Gap: p.Slots.Gap}
		}
	}
	return limits
}
