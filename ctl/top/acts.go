package top

import (
	"time"

	"github.com/providerd/providerd/ctl"
	"github.com/providerd/providerd/ctl/units"
	"github.com/providerd/providerd/store/provider"
)

// The keys that act on the unit of a provider.
var verbs = map[key]units.Verb{"s": units.Start, "x": units.Stop, "X": units.Restart}

// askAct asks systemd for something.
type askAct struct {
	id   string
	verb units.Verb
}

// The inputs about actions.
type (
	actStepped struct{ id, text string }
	actEnded   struct {
		askAct
		report *ctl.ActionReport
		err    error
	}
)

// An actState is what is known of the actions on units.
type actState struct {
	running map[string]*acting // by provider; one action at a time
	ended   map[string]actEnded
	sure    *askAct // the next key decides; nil: none
}

// An acting is an action in progress.
type acting struct {
	verb  units.Verb
	began time.Time
	text  string // what it does now
}

// actOn starts the unit of a provider, or asks whether it may stop it.
func (m *model) actOn(id string, verb units.Verb) []effect {
	row := m.find(id)
	if row == nil {
		return nil
	}
	unit, err := units.Of(&row.Status)
	if err != nil {
		m.sayError(string(verb), err)
		return nil
	}
	if now := m.acts.running[id]; now != nil {
		m.say(ctl.Yellow, string(now.verb)+" of "+unit.Name+" is in progress; one at a time")
		return nil
	}
	ask := askAct{id, verb}
	if verb == units.Start {
		return m.beginAct(ask)
	}
	m.acts.sure = &ask
	m.say(ctl.Yellow, string(verb)+" "+unit.Name+", which serves "+id+"? y: yes; any other key: no")
	return nil
}

// pressSure handles the key after the question.
func (m *model) pressSure(k key) []effect {
	ask := *m.acts.sure
	m.acts.sure = nil
	if k != "y" {
		m.say(ctl.Plain, ask.id+" was left alone")
		return nil
	}
	return m.beginAct(ask)
}

func (m *model) beginAct(ask askAct) []effect {
	if m.acts.running == nil {
		m.acts.running, m.acts.ended = map[string]*acting{}, map[string]actEnded{}
	}
	delete(m.acts.ended, ask.id)
	m.acts.running[ask.id] = &acting{ask.verb, m.now(), "asking systemd"}
	m.message = message{}
	m.sayActing()
	return []effect{ask}
}

func (m *model) actStepped(w actStepped) {
	if now := m.acts.running[w.id]; now != nil {
		now.text = w.text
		m.message = message{}
		m.sayActing()
	}
}

// sayActing shows how an action goes on, unless there is something else to read.
func (m *model) sayActing() {
	if m.message.text != "" && !m.message.acting {
		return
	}
	last := ""
	for id, now := range m.acts.running {
		if last == "" || now.began.After(m.acts.running[last].began) {
			last = id
		}
	}
	if last == "" {
		return
	}
	now := m.acts.running[last]
	text := string(now.verb) + " " + last + ": " + now.text + "…"
	if waited := m.now().Sub(now.began); waited >= time.Second {
		text += " " + seconds(waited)
	}
	m.say(ctl.Plain, text)
	m.message.acting = true
}

func (m *model) actEnded(w actEnded) {
	delete(m.acts.running, w.id)
	m.acts.ended[w.id] = w
	if w.err == nil {
		m.say(ctl.Green, w.report.Result)
		return
	}
	text := string(w.verb) + " " + w.id + ": " + errorText(w.err)
	if len(w.report.Journal) > 0 && m.view != viewCard {
		text += "; Enter shows the journal"
	}
	m.say(ctl.Red, text)
}

// actLines are about the last action on a provider that failed, for its card.
func (m *model) actLines(id string) (lines []ctl.Line) {
	w, ended := m.acts.ended[id]
	if !ended || w.err == nil {
		return nil
	}
	line := func(text string, tone ctl.Tone) {
		for _, part := range ctl.Wrap(m.plain(text), m.width) {
			lines = append(lines, ctl.Line{Pieces: []ctl.Piece{{Text: part, Tone: tone}}})
		}
	}
	line(string(w.verb)+": "+errorText(w.err), ctl.Red)
	for _, text := range w.report.Warnings {
		line("systemctl: "+text, ctl.Plain)
	}
	if title := w.report.JournalTitle(); title != "" {
		line(title, ctl.Bold)
	}
	for _, text := range w.report.Journal {
		line("  "+provider.Printable(text), ctl.Plain)
	}
	return append(lines, ctl.Line{})
}

// actKeys are the keys for the unit of a provider, if it has one.
func (m *model) actKeys(id string) []string {
	row := m.find(id)
	if row == nil {
		return nil
	}
	if _, err := units.Of(&row.Status); err != nil {
		return nil
	}
	return []string{"s start", "x stop", "X restart"}
}
