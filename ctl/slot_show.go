package ctl

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/providerd/providerd/ctl/client"
	"github.com/providerd/providerd/store/provider"
)

// listSlots shows the slots of all providers that have any.
func (a *app) listSlots(ctx context.Context, out *format) error {
	reply, err := a.client.Status(ctx, client.StatusQuery{})
	if err != nil {
		return err
	}
	if len(reply.Slots) == 0 {
		a.say("no provider has slots in the configuration; write slots = 4 in a [[provider]], then: providerctl reload")
		return errNo
	}
	if out.json() {
		body, err := json.Marshal(reply.Slots)
		if err != nil {
			return err
		}
		return a.writeJSON(body)
	}
	g := &grid{titles: []string{"PROVIDER", "USED", "OF", "WAITING", "GAP", "CLOSED"}, right: []bool{false, true, true, true, true, false}}
	for i := range reply.Slots {
		s := &reply.Slots[i]
		g.rows = append(g.rows, []string{
			provider.Printable(s.ProviderID), strconv.Itoa(s.Used), strconv.Itoa(s.Total), strconv.Itoa(s.Waiting), gapOf(s), or(provider.Printable(s.Closed)),
		})
	}
	g.drop("GAP")
	g.drop("CLOSED")
	widths := g.widths()
	squeeze(widths, a.term.width(), func(int) int { return 5 })
	return g.write(a.Stdout, widths)
}

// gapOf is the least time between two starts.
func gapOf(s *provider.SlotsReply) string {
	if s.GapMS <= 0 {
		return unknown
	}
	return (time.Duration(s.GapMS) * time.Millisecond).String()
}

// showSlots shows the slots of one provider, who holds them and who waits.
func (a *app) showSlots(ctx context.Context, id string, out *format) error {
	if out.json() {
		return a.passThrough(ctx, client.Request{Path: client.ProviderPath(id, "slots")})
	}
	s, err := a.client.Slots(ctx, id)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(provider.Printable(s.ProviderID+": "+slotsText(s)) + "\n")
	now := a.now()
	for _, h := range s.Holders {
		fmt.Fprintf(&b, "  slot %d: %s, taken %s\n", h.Slot, provider.Printable(h.By), ago(h.Since, now))
	}
	for i, w := range s.Waiters {
		if i == 0 {
			b.WriteString("  next: ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(provider.Printable(w.By))
		if w.Waiting > 1 {
			fmt.Fprintf(&b, " (%d)", w.Waiting)
		}
	}
	if len(s.Waiters) > 0 {
		b.WriteString("\n")
	}
	_, err = io.WriteString(a.Stdout, b.String())
	return err
}

// slotsText is how the slots of a provider stand, in words.
func slotsText(s *provider.SlotsReply) string {
	text := fmt.Sprintf("%d of %d slots used", s.Used, s.Total)
	if s.Waiting > 0 {
		text += fmt.Sprintf(", %d waiting", s.Waiting)
	}
	if s.GapMS > 0 {
		text += ", one begins every " + gapOf(s)
	}
	if s.Closed != "" {
		text += "; none is given: " + s.Closed
	}
	return text
}

// SlotsText is how the slots of a provider stand, in words; empty if it has none.
func SlotsText(id string, all []provider.SlotsReply) string {
	if s := slotsOf(id, all); s != nil {
		return slotsText(s)
	}
	return ""
}

// slotsTitle heads the slots in use, if any provider has some.
const slotsTitle = "SLOTS"

// slotsCell is the slots in use of a provider, and how many callers wait: "1/2 +3".
func slotsCell(id string, all []provider.SlotsReply) string {
	s := slotsOf(id, all)
	if s == nil {
		return unknown
	}
	text := strconv.Itoa(s.Used) + "/" + strconv.Itoa(s.Total)
	if s.Waiting > 0 {
		text += " +" + strconv.Itoa(s.Waiting)
	}
	return text
}

// slotsOf are the slots of a provider; nil if it has none.
func slotsOf(id string, all []provider.SlotsReply) *provider.SlotsReply {
	for i := range all {
		if all[i].ProviderID == id {
			return &all[i]
		}
	}
	return nil
}
