package client

import (
	"context"
	"errors"

	"github.com/providerd/providerd/store/provider"
)

// FleetPath is the path of the machines that share probes.
const FleetPath = "/api/fleet"

// Fleet returns this machine's part in its fleet, and what it knows of the other machines.
// Without a fleet, and from a daemon that is older than fleets, the mode is off.
func (c *Client) Fleet(ctx context.Context) (*provider.FleetReply, error) {
	reply, err := call[provider.FleetReply](ctx, c, Request{Path: FleetPath})
	var e *provider.Error
	if errors.As(err, &e) && e.Code == provider.UnknownRoute {
		older := provider.NoFleet()
		older.Why, older.Hint = "the daemon is older than fleets", "restart it, so that it runs the installed version"
		return &older, nil
	}
	return reply, err
}
