package control_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/control"
	"github.com/providerd/providerd/daemon/slots"
	"github.com/providerd/providerd/store"
	"github.com/providerd/providerd/store/provider"
)

// A holder is a connection that asked for a slot.
type holder struct {
	net.Conn
	reply chan string // the status and the first line, when they come
	rest  chan string // what came after it, when the connection ends
}

// hold asks for a slot; more is sent after the request.
func (r *rig) hold(id, query, more string) *holder {
	r.t.Helper()
	conn, err := net.Dial("unix", r.socket)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	h := &holder{conn, make(chan string, 1), make(chan string, 1)}
	fmt.Fprintf(conn, "POST /api/providers/%s/slots%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n%s", id, query, more)
	go func() {
		reply, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "POST"})
		if err != nil {
			h.reply <- err.Error()
			return
		}
		body := bufio.NewReader(reply.Body)
		line, _ := body.ReadString('\n')
		h.reply <- fmt.Sprint(reply.StatusCode, " ", line)
		rest, err := io.ReadAll(body)
		h.rest <- fmt.Sprint(string(rest), err)
	}()
	return h
}

// says waits for the reply.
func (h *holder) says(t *testing.T, texts ...string) {
	t.Helper()
	select {
	case got := <-h.reply:
		for _, text := range texts {
			if !strings.Contains(got, text) {
				t.Fatalf("got %s, want %s", got, text)
			}
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("no reply, want %s", texts)
	}
}

// untilSlots waits until so many are used, and so many wait.
func (r *rig) untilSlots(id string, used, waiting int) (got provider.SlotsReply) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		_, body := r.do("GET", "/api/providers/"+id+"/slots", "")
		if json.Unmarshal([]byte(body), &got); got.Used == used && got.Waiting == waiting {
			return got
		}
	}
	r.t.Fatalf("%+v, want %d used and %d waiting", got, used, waiting)
	return got
}

func TestSlots(t *testing.T) {
	r := start(t, control.Options{}, running("a"), running("b"))
	limits := func(n int) { r.server.SetSlots(map[string]slots.Limit{"a": {Slots: n}}) }

	t.Run("NotConfigured", func(t *testing.T) {
		r.hold("b", "", "").says(t, "409 ", "no_slots", "slots = 4")
	})
	limits(2)
	t.Run("AtMostSoMany", func(t *testing.T) {
		first, second := r.hold("a", "", ""), r.hold("a", "", "")
		first.says(t, "200 ", `"total":2`)
		second.says(t, "200 ")
		r.hold("a", "", "").says(t, "503 ", "too_many", "all 2 slots of a are used")
		r.hold("a", "?wait=10ms", "").says(t, "504 ", "timed_out")
		third := r.hold("a", "?wait=1m", "")
		got := r.untilSlots("a", 2, 1)
		us := fmt.Sprintf("uid %d", os.Getuid())
		if len(got.Holders) != 2 || got.Holders[1].Slot != 2 || got.Holders[1].By != us || time.Since(got.Holders[1].Since.Time) > time.Minute ||
			len(got.Waiters) != 1 || got.Waiters[0] != (provider.SlotWaiter{By: us, Waiting: 1}) {
			t.Errorf("%+v", got)
		}
		for query, has := range map[string]bool{"": true, "?provider_id=a&provider_id=b": true, "?provider_id=b": false} {
			var status provider.StatusReply
			_, body := r.do("GET", "/api/providers/status"+query, "")
			if err := json.Unmarshal([]byte(body), &status); err != nil {
				t.Fatal(err)
			}
			if want := (provider.SlotsReply{ProviderID: "a", Total: 2, Used: 2, Waiting: 1}); len(status.Slots) > 1 || has != (len(status.Slots) == 1) || has && !reflect.DeepEqual(status.Slots[0], want) {
				t.Errorf("%s: %s", query, body)
			}
		}
		first.Close()
		third.says(t, "200 ", `"slot":`)
		second.Close()
		third.Close()
		if got := r.untilSlots("a", 0, 0); got.Free != 2 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("FreedThoughMoreWasSent", func(t *testing.T) {
		h := r.hold("a", "", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		h.says(t, "200 ")
		r.untilSlots("a", 0, 0)
		h = r.hold("a", "", "")
		h.says(t, "200 ")
		h.Write([]byte("x"))
		r.untilSlots("a", 0, 0)
	})
	t.Run("WaiterLeaves", func(t *testing.T) {
		first, second := r.hold("a", "", ""), r.hold("a", "", "")
		first.says(t, "200")
		second.says(t, "200")
		waiter := r.hold("a", "?wait=1m", "")
		r.untilSlots("a", 2, 1)
		waiter.Close()
		r.untilSlots("a", 2, 0)
		first.Close()
		second.Close()
		r.untilSlots("a", 0, 0)
	})
	t.Run("NotWhileLimited", func(t *testing.T) {
		row := running("a")
		row.State, row.Reason = provider.StateDegraded, provider.RateLimited
		row.RetryAt = provider.Time{Time: time.Now().Add(time.Hour)}
		r.store.Put(store.Update{Status: row})
		if err := r.store.SyncBarrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.hold("a", "", "").says(t, "503 ", "it is limited until")
		waiter := r.hold("a", "?wait=1m", "")
		if got := r.untilSlots("a", 0, 1); got.Free != 0 || got.RetryAt == nil {
			t.Errorf("%+v", got)
		}
		r.store.Put(store.Update{Status: running("a")})
		waiter.says(t, "200 ")
		waiter.Close()
		r.untilSlots("a", 0, 0)
	})
	t.Run("Reload", func(t *testing.T) {
		limits(1)
		first := r.hold("a", "", "")
		first.says(t, "200 ")
		second, third := r.hold("a", "?wait=1m", ""), r.hold("a", "?wait=1m", "")
		r.untilSlots("a", 1, 2)
		limits(3)
		second.says(t, "200 ")
		third.says(t, "200 ")
		limits(1)
		if got := r.untilSlots("a", 3, 0); got.Total != 1 || got.Free != 0 {
			t.Errorf("%+v", got)
		}
		fourth := r.hold("a", "?wait=1m", "")
		r.untilSlots("a", 3, 1)
		r.server.SetSlots(nil)
		fourth.says(t, "409 ", "no_slots")
		for _, h := range []*holder{first, second, third} {
			h.Close()
		}
		limits(1)
		r.untilSlots("a", 0, 0)
	})
}

func TestSlots_EndWithTheServer(t *testing.T) {
	r := start(t, control.Options{}, running("a"))
	r.server.SetSlots(map[string]slots.Limit{"a": {Slots: 1}})
	h := r.hold("a", "", "")
	h.says(t, "200 ")
	waiter := r.hold("a", "?wait=1m", "")
	r.untilSlots("a", 1, 1)
	go r.server.Shutdown(t.Context())
	waiter.says(t, "503 ", "shutting_down")
	if got := <-h.rest; !strings.Contains(got, `"type":"end","reason":"shutting_down"`) || !strings.HasSuffix(got, "<nil>") {
		t.Errorf("the rest is %s", got)
	}
}
