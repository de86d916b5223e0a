package top

import (
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/store/provider"
)

// A fleetScreen is the fleet on the whole screen.
type fleetScreen struct {
	reply  *provider.FleetReply // nil: none came yet
	came   time.Time
	err    error // why the last request failed
	asked  time.Time
	scroll scroll
}

// fleetPace is how often the fleet is read again, for ages.
const fleetPace = 5 * time.Second

type (
	askFleet  struct{}
	fleetCame struct {
		reply *provider.FleetReply
		err   error
	}
	fleetChanged struct{} // according to the stream of events
)

func (m *model) openFleet() []effect {
	m.view = viewFleet
	m.fleet = fleetScreen{asked: m.now()}
	return []effect{askFleet{}}
}

// fleetNews handles what is heard of the fleet.
func (m *model) fleetNews(what any) []effect {
	switch w := what.(type) {
	case fleetChanged:
		if m.view == viewFleet {
			m.fleet.asked = m.now()
			return []effect{askFleet{}}
		}
	case fleetCame:
		if m.fleet.err = w.err; w.err == nil {
			m.fleet.reply, m.fleet.came = w.reply, m.now()
		}
	}
	return nil
}

// dueFleet reads the fleet again from time to time while it is shown.
func (m *model) dueFleet() []effect {
	if m.view != viewFleet || !m.gone.IsZero() || m.now().Sub(m.fleet.asked) < fleetPace {
		return nil
	}
	m.fleet.asked = m.now()
	return []effect{askFleet{}}
}

func (m *model) fleetLines() (lines []ctl.Line) {
	f := &m.fleet
	if f.reply != nil {
		now := f.reply.TS.Add(m.now().Sub(f.came)).Local()
		lines = ctl.FleetLines(f.reply, ctl.TableOptions{Width: m.width, Now: now, ASCII: m.ascii, Spell: m.spell})
	}
	text, tone := "", ctl.Yellow
	switch {
	case f.err != nil:
		text = "the fleet could not be read: " + m.plain(errorText(f.err))
	case f.reply == nil:
		text, tone = "waiting for the daemon…", ctl.Dim
	case !m.gone.IsZero():
		text = "this is as last known"
	default:
		return lines
	}
	if f.reply != nil {
		lines = append(lines, ctl.Line{})
	}
	for _, line := range m.said(text, tone) {
		lines = append(lines, ctl.Line{Pieces: line.pieces})
	}
	return lines
}

func (m *model) pressInFleet(k key) []effect {
	switch k {
	case "R":
		return m.refresh(nil)
	case "?":
		m.openHelp()
		return nil
	case "f":
		k = keyEscape
	}
	return m.pressInText(k, &m.fleet.scroll, len(m.fleetLines()), viewList)
}
