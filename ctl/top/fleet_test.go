package top_test

import (
	"strconv"
	"strings"
	"testing"
)

const fleetReply = `{"ts":"2026-01-02T03:04:05.000Z","mode":"ok","since":"2026-01-02T01:04:05.000Z","name":"lab","member":"gpu1",` +
	`"members":[{"member":"ci","version":"1.1.0","mode":"ok","shares":1,"held":1,"holds":["openai"]},{"member":"gpu1","version":"1.1.0","self":true,"mode":"ok"}],` +
	`"shared":[{"id":"openai","prober":"ci","members":2,"age_ms":4000,"own_checks":3}],"not_shared":[{"id":"ollama","why":"it serves this machine only"}],` +
	`"hosts":[{"member":"gpu2","age_ms":1,"providers":[{"id":"vllm","kind":"vllm","type":"local","state":"STOPPED","reason":"connection_refused","hint":"start it","checked_ms":2000}]}],"counters":{}}`

// fleet makes the daemon answer with a fleet from now on, and tells the followers of events.
func (d *daemon) fleet(body string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.replies["GET /api/fleet"] = reply{200, body}
	for stream := range d.streams {
		stream <- `{"type":"fleet","fleet":"ok","seq":` + strconv.FormatUint(d.seq, 10) + `}`
	}
}

// The fleet's screen follows the stream, and the daemon's own rows stay as they were below it.
func TestRun_Fleet(t *testing.T) {
	d := startDaemon(t, isUp("ollama"), isDown("gpu1"))
	d.fleet(fleetReply)
	s := show(t, d, 110, 40)
	s.await(`> ollama`)
	s.press("f")
	s.await(`^lab: a member for 2h as gpu1, with 1 other machine`, `^ci  .*openai`, `^gpu1 \(here\)`, `^openai  +ci  +2  +4s`,
		`^ollama  +it serves this machine only`, `^gpu2/vllm +STOPPED`, `on gpu2: start it`, `^Esc back`)
	d.fleet(strings.NewReplacer(`"mode":"ok","since"`, `"mode":"alone","why":"no answer from etcd","hint":"providerd fleet check","since"`).Replace(fleetReply))
	s.await(`^lab: alone for 2h: no answer from etcd; everything is probed here`, `^hint: providerd fleet check`, `gpu2/vllm .* stale`)
	s.press("?")
	s.await(`the fleet: its machines`)
	s.press(escape)
	s.await(`^lab: alone`)
	d.stop()
	s.await(`^the daemon has been away`, `^this is as last known`, `^lab: alone`)
	d.start()
	s.await(`!away`, `!as last known`)
	s.press("f")
	s.await(`^> ollama`, `f fleet`)
}

// An older daemon, and one without a fleet, say so. What another machine says is shown as text.
func TestRun_FleetOfNone(t *testing.T) {
	d := startDaemon(t, isUp("ollama"))
	s := show(t, d, 60, 20)
	s.await(`> ollama`)
	s.press("f")
	s.await(`the daemon is older than fleets`, `^hint: restart it`)
	d.fleet(`{"mode":"off","hint":"add [fleet]","members":[],"shared":[],"hosts":[],"counters":{}}`)
	s.await(`^this machine is in no fleet`, `^hint: add \[fleet\]`)
	d.fleet(strings.Replace(fleetReply, `"hint":"start it"`, `"hint":"\u001b[31mred\u202e"`, 1))
	s.await(`^gpu1 \(here\)`)
	s.press("G")
	if text := s.await(`on gpu2: `); strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("%q", text)
	}
	d.mu.Lock()
	d.replies["GET /api/fleet"] = reply{500, `{"error":{"code":"internal","message":"it broke"}}`}
	d.mu.Unlock()
	s.press(escape)
	s.await(`> ollama`)
	s.press("f")
	s.await(`^the fleet could not be read: it broke`)
}
