package ctl

import (
	"context"
	"slices"
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// sharedOf returns those of the IDs that this machine shares with its fleet, or all that it
// shares. It says why it leaves one out, and fails if none is left. An unknown ID stays, for the
// daemon to refuse.
func (a *app) sharedOf(ctx context.Context, ids []string) ([]string, error) {
	reply, err := a.theFleet(ctx)
	if err != nil {
		return nil, err
	}
	if reply.Mode == provider.FleetOff {
		return nil, errNo // which has been said
	}
	if len(ids) == 0 {
		for i := range reply.Shared {
			ids = append(ids, reply.Shared[i].ID)
		}
		if len(ids) == 0 {
			return nil, provider.Errorf("", "see: providerctl fleet -o wide", "this machine shares no provider with its fleet")
		}
		return ids, nil
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		if member, _, is := strings.Cut(id, onMember); is {
			a.say("%s is probed by %s alone: refresh it there", id, member)
			return true
		}
		at := slices.IndexFunc(reply.NotShared, func(u provider.FleetUnshared) bool { return u.ID == id })
		if at >= 0 {
			a.say("%s is not shared: %s", id, reply.NotShared[at].Why)
		}
		return at >= 0
	})
	if len(ids) == 0 {
		return nil, errNo
	}
	return ids, nil
}
