package client

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// Slots is how the slots of a provider stand.
func (c *Client) Slots(ctx context.Context, id string) (*provider.SlotsReply, error) {
	return call[provider.SlotsReply](ctx, c, Request{Path: ProviderPath(id, "slots")})
}

// A HeldSlot is a slot of a provider. It is held until Close, and at the latest until the
// process ends; see also Inherit.
type HeldSlot struct {
	provider.Slot
	reply *reply
}

// HoldSlot takes a slot of a provider, and waits for it for wait at most. The end of ctx
// gives it up.
func (c *Client) HoldSlot(ctx context.Context, id string, wait time.Duration) (*HeldSlot, error) {
	v := url.Values{}
	if wait > 0 {
		v.Set("wait", wait.String())
	}
	rep, err := c.send(ctx, Request{Method: "POST", Path: withQuery(ProviderPath(id, "slots"), v), Wait: wait})
	if err != nil {
		return nil, err
	}
	held := &HeldSlot{reply: rep}
	if err := held.begin(ctx); err != nil {
		rep.close()
		return nil, err
	}
	return held, nil
}

// begin reads the first line.
func (h *HeldSlot) begin(ctx context.Context) error {
	if err := h.reply.mustStream(ctx); err != nil {
		return err
	}
	for line, err := range h.reply.lines() {
		if err != nil {
			return h.reply.explain(ctx, err)
		}
		if note, isNote := asNote(line); isNote {
			return endError(note, true)
		}
		if err := json.Unmarshal(line, &h.Slot); err != nil {
			return h.reply.explain(ctx, protocolError("a line that is no slot"))
		}
		return nil
	}
	return h.reply.explain(ctx, protocolError("a stream without a line"))
}

// Inherit lets a program that replaces this process, and every child from now on, hold the
// slot too: it is free when the last of them has ended.
func (h *HeldSlot) Inherit() error { return inherit(h.reply.conn) }

// Close gives the slot up, unless others inherited it.
func (h *HeldSlot) Close() { h.reply.close() }
