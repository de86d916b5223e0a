package client

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// The paths of notifications and maintenance.
const (
	NotifyPath      = "/api/notify"
	MaintenancePath = "/api/maintenance"
)

// testWait is how long the daemon may take to deliver a test.
const testWait = 31 * time.Second

// Notifications returns who is told, and what waits to be told.
func (c *Client) Notifications(ctx context.Context) (*provider.NotifyReply, error) {
	return call[provider.NotifyReply](ctx, c, Request{Path: NotifyPath})
}

// NotifyRequest is a command for a sink as [Client.Do] takes it: "test", "retry" or "drop",
// the latter two for some messages or, without, for all.
func NotifyRequest(do, sink string, messages ...string) Request {
	req := Request{Method: "POST", Path: NotifyPath + "/" + url.PathEscape(sink) + "/" + do}
	if do == "test" {
		req.Wait = testWait
	}
	if len(messages) > 0 {
		req.Body, _ = json.Marshal(provider.NotifyMessages{Messages: messages}) // strings never fail
	}
	return req
}

// TestSink sends a test message, and returns once the receiver has accepted it. The error is
// undelivered if it does not.
func (c *Client) TestSink(ctx context.Context, sink string) error {
	_, err := call[provider.NotifyAction](ctx, c, NotifyRequest("test", sink))
	return err
}

// RetryMessages sends messages of a sink again now; all without their ids. It returns how many.
func (c *Client) RetryMessages(ctx context.Context, sink string, messages ...string) (int, error) {
	return c.messages(ctx, "retry", sink, messages)
}

// DropMessages drops messages of a sink; without their ids, those that were given up. It returns
// how many.
func (c *Client) DropMessages(ctx context.Context, sink string, messages ...string) (int, error) {
	return c.messages(ctx, "drop", sink, messages)
}

func (c *Client) messages(ctx context.Context, do, sink string, messages []string) (int, error) {
	reply, err := call[provider.NotifyAction](ctx, c, NotifyRequest(do, sink, messages...))
	if err != nil {
		return 0, err
	}
	return reply.Messages, nil
}

// Maintenance returns what lasts now.
func (c *Client) Maintenance(ctx context.Context) (*provider.MaintenanceReply, error) {
	return call[provider.MaintenanceReply](ctx, c, Request{Path: MaintenancePath})
}

// MaintainRequest announces maintenance, as [Client.Do] takes it.
func MaintainRequest(ids []string, until time.Time) Request {
	body, _ := json.Marshal(provider.MaintenanceRequest{ProviderID: ids, Until: until.UTC().Format(time.RFC3339Nano)}) // never fails
	return Request{Method: "POST", Path: MaintenancePath, Body: body, Wait: daemonWait}
}

// Maintain announces maintenance of providers, and returns what lasts now.
func (c *Client) Maintain(ctx context.Context, ids []string, until time.Time) (*provider.MaintenanceReply, error) {
	return call[provider.MaintenanceReply](ctx, c, MaintainRequest(ids, until))
}

// EndMaintenanceRequest ends what was announced for providers, or all of it without IDs, as
// [Client.Do] takes it.
func EndMaintenanceRequest(ids []string) Request {
	v := url.Values{}
	if len(ids) > 0 {
		v["provider_id"] = ids
	}
	return Request{Method: "DELETE", Path: withQuery(MaintenancePath, v), Wait: daemonWait}
}

// EndMaintenance ends what was announced for providers, or all of it without IDs. Ended in the
// reply are those that were in maintenance.
func (c *Client) EndMaintenance(ctx context.Context, ids []string) (*provider.MaintenanceReply, error) {
	return call[provider.MaintenanceReply](ctx, c, EndMaintenanceRequest(ids))
}
