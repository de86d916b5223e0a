package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/notify/sink"
	"github.com/providerd/providerd/store/provider"
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

// A receiver that names a time gets no message before it, about whatever provider, unless
// somebody asks for that or the sink has another receiver.
func TestEngine_LaterIsForAllMessages(t *testing.T) {
	play(t, []string{"a", "b", "c"}, func(t *testing.T, h *house, r *receiver) {
		r.meet(func(*provider.Notice) error {
			return &sink.LaterError{At: time.Now().Add(10 * time.Minute), Why: "busy"}
		})
		h.run(outletTo("phone", r))
		h.down("a")
		h.down("b")
		time.Sleep(time.Minute)
		h.down("c")
		time.Sleep(time.Minute)
		r.want(t, "opened a connection_refused")
		for _, m := range h.engine.List().Sinks[0].Messages {
			if wait := time.Until(m.NextAt.Time); wait < 7*time.Minute || wait > 9*time.Minute {
				t.Errorf("%v is tried in %s", m.About, wait)
			}
		}
		if open := h.engine.List().Sinks[0].Open; len(open) > 0 {
			t.Errorf("told of %v", open)
		}
		h.engine.Apply([]Outlet{outletTo("phone", r)})
		time.Sleep(time.Minute)
		r.want(t, "opened a connection_refused")
		other := outletTo("phone", &receiver{})
		other.Way = "another receiver"
		h.engine.Apply([]Outlet{other})
		time.Sleep(time.Second)
		other.Sink.(*receiver).want(t, "opened a connection_refused", "opened b connection_refused", "opened c connection_refused")
		h.close()
	})
}

// What could not be delivered before the quiet hours waits for their end, unless somebody asks
// for it.
func TestEngine_QuietForWhatWaits(t *testing.T) {
	play(t, []string{"a", "b"}, func(t *testing.T, h *house, r *receiver) {
		r.meet(func(*provider.Notice) error { return errors.New("no route") })
		o := outletTo("phone", r)
		begin := time.Now().Add(time.Minute)
		o.Settings.Quiet = func(now time.Time) time.Time {
			if end := begin.Add(8 * time.Hour); !now.Before(begin) && now.Before(end) {
				return end
			}
			return time.Time{}
		}
		h.run(o)
		h.down("a")
		time.Sleep(2 * time.Minute)
		r.meet(nil)
		before := len(r.lines())
		time.Sleep(7 * time.Hour)
		if got := r.lines()[before:]; len(got) > 0 {
			t.Errorf("got %q in quiet hours", got)
		}
		h.down("b")
		time.Sleep(time.Minute)
		if _, err := h.engine.Retry("phone", nil); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if got := r.lines()[before:]; !slices.Equal(got, []string{"opened a connection_refused"}) {
			t.Errorf("asked for, got %q", got)
		}
		time.Sleep(time.Hour)
		if got := r.lines()[before:]; !slices.Equal(got, []string{"opened a connection_refused", "opened b connection_refused"}) {
			t.Errorf("in the morning got %q", got)
		}
		h.close()
	})
}
