package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Fifty sinks, most of which hang, are saved in one commit, and none waits for another.
func TestEngine_ManySinks(t *testing.T) {
	play(t, []string{"a"}, func(t *testing.T, h *house, r *receiver) {
		var outlets []Outlet
		for i := range 49 {
			outlets = append(outlets, outletTo(fmt.Sprint("hung", i), &receiver{hang: true}))
		}
		h.run(append(outlets, outletTo("phone", r))...)
		time.Sleep(time.Second)
		h.disk.set(func(d *disk) { d.saves = 0 })
		h.down("a")
		time.Sleep(6 * time.Second)
		r.want(t, "opened a connection_refused")
		if saves, _ := h.disk.work(); saves > 2 {
			t.Errorf("%d saves", saves)
		}
		h.close()
	})
}

// A sink that is removed while it delivers, and comes back, is a new one; a storm of reloads
// that change nothing writes nothing.
func TestEngine_Reloads(t *testing.T) {
	play(t, []string{"a"}, func(t *testing.T, h *house, r *receiver) {
		hung := &receiver{hang: true}
		h.run(outletTo("phone", hung))
		h.down("a")
		time.Sleep(6 * time.Second)
		hung.want(t, "opened a connection_refused")
		h.engine.Apply(nil)
		time.Sleep(time.Second)
		h.engine.Apply([]Outlet{outletTo("phone", r)})
		time.Sleep(time.Minute)
		h.up("a")
		h.down("a")
		time.Sleep(time.Minute)
		r.want(t, "opened a connection_refused")
		h.disk.set(func(d *disk) { d.saves = 0 })
		for range 1000 {
			h.engine.Apply([]Outlet{outletTo("phone", r)})
		}
		time.Sleep(time.Minute)
		if saves, _ := h.disk.work(); saves != 0 {
			t.Errorf("%d saves", saves)
		}
		h.close()
	})
}

// A daemon that ends says of no message that it could not be delivered, and sends it again when
// it starts.
func TestEngine_EndsWhileItDelivers(t *testing.T) {
	play(t, []string{"a"}, func(t *testing.T, h *house, r *receiver) {
		hung := &receiver{hang: true}
		h.run(outletTo("phone", hung))
		h.down("a")
		time.Sleep(6 * time.Second)
		h.close()
		if l := h.engine.List().Sinks[0]; l.Waiting != 1 || l.LastError != "" {
			t.Errorf("at the end: %+v", l)
		}
		h = open(t, h.path, "a")
		h.run(outletTo("phone", r))
		time.Sleep(time.Second)
		r.want(t, "opened a connection_refused")
		if !slices.Equal(r.messages(), hung.messages()) {
			t.Errorf("ids %v and %v", hung.messages(), r.messages())
		}
		h.close()
	})
}

// Without sinks, events wake nothing; and with one, nothing happens while there are no events.
func TestEngine_AtRest(t *testing.T) {
	play(t, []string{"a"}, func(t *testing.T, h *house, r *receiver) {
		h.run()
		time.Sleep(time.Minute)
		h.disk.set(func(d *disk) { d.steps, d.saves = 0, 0 })
		for range 100 {
			h.down("a")
			time.Sleep(time.Second)
			h.up("a")
			time.Sleep(time.Second)
		}
		if saves, steps := h.disk.work(); saves != 0 || steps != 0 {
			t.Errorf("without sinks: %d steps, %d saves", steps, saves)
		}
		h.engine.Apply([]Outlet{outletTo("phone", r)})
		h.down("a")
		time.Sleep(8 * time.Second)
		r.want(t, "opened a connection_refused")
		if text := string(h.store.Notes()["sink/phone"]); strings.Contains(text, "outbox") {
			t.Errorf("it is not saved that the message was accepted: %s", text)
		}
		time.Sleep(time.Hour)
		h.disk.set(func(d *disk) { d.steps, d.saves = 0, 0 })
		time.Sleep(24 * time.Hour)
		if saves, steps := h.disk.work(); saves != 0 || steps != 0 {
			t.Errorf("at rest: %d steps, %d saves", steps, saves)
		}
		h.close()
	})
}
