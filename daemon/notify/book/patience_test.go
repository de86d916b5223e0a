package book

import (
	"testing"
	"time"
)

// A day in which nothing was tried, because the daemon was off or it was a quiet weekend, does not
// make a message dead: it is tried for some minutes before it is given up.
func TestBook_ADayWithoutTries(t *testing.T) {
	for name, pass := range map[string]func(t *testing.T, p *play){
		"Off": func(t *testing.T, p *play) {
			text, err := p.b.Text()
			if err != nil {
				t.Fatal(err)
			}
			if p.b, err = Parse(text); err != nil {
				t.Fatal(err)
			}
		},
		"Quiet": func(_ *testing.T, p *play) {
			p.b.Ready(func(*Message) bool { return true }, p.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t, defaults(), "a")
			p.deaf = true
			p.down(at(1, 0), "a")
			p.until(at(60, 0))
			p.now = p.now.Add(2 * triesFor)
			pass(t, p)
			p.until(p.now.Add(triesLeast / 2)) // the network is not back yet
			if m := p.b.Outbox[0]; m.Dead != "" {
				t.Fatalf("it is dead: %s", m.Dead)
			}
			p.until(p.now.Add(time.Hour))
			if m := p.b.Outbox[0]; m.Dead == "" {
				t.Errorf("after a day and %d tries it is not dead", m.Tries)
			}
		})
	}
}

// Somebody who asks for tries by hand does not put off those that come by themselves.
func TestBook_ImpatientRetries(t *testing.T) {
	p := newPlay(t, defaults(), "a")
	p.down(at(1, 0), "a")
	p.b.Write(p.s, at(1, 5))
	m := p.b.Outbox[0]
	for range 20 {
		m.Next, m.Asked = time.Time{}, true
		p.b.Failed(m.ID, "500", time.Time{}, at(1, 6), 0.5)
	}
	if wait := m.Next.Sub(at(1, 6)); wait > 2*firstRetry {
		t.Errorf("after 20 tries by hand, the next one is in %v", wait)
	}
}
