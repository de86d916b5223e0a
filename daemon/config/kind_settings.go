package config

import (
	"slices"
	"strings"
)

// kindSettings are the settings that only some kinds take; each kind lists its own. Unit and bus,
// which a kind can take as its address, are not among them: see serverUnit.
var kindSettings = []string{
	"expect_status", "expect_body", "expect_json", "expect_days", "expect_answer",
	"command",
}

// kindSettings reads the settings that only some kinds take, and refuses those of others.
func (t *table) kindSettings(p *Provider, kind *Kind) {
	p.Expect = t.expect()
	p.Command = t.command()
	p.Unit, p.Bus = t.unit(), t.bus()
	if kind == nil {
		return
	}
	for setting, example := range map[string]string{"command": exampleCommand, "unit": exampleUnit} {
		if kind.takes(setting) && t.values[setting] == nil {
			t.reject(t.header(), flawf("write "+example, "kind %s needs a %s", kind.Name, setting))
		}
	}
	for _, setting := range kindSettings {
		switch {
		case kind.takes(setting):
			continue
		case t.values[setting] == nil: // nothing to propose for an unknown kind
			t.asked = slices.DeleteFunc(t.asked, func(name string) bool { return name == setting })
			continue
		}
		fix, whose := "leave it out", ""
		if i := slices.IndexFunc(t.kinds, func(k Kind) bool { return k.takes(setting) }); i >= 0 {
			fix += `, or write kind = "` + t.kinds[i].Name + `"`
			whose = ": it is for kind " + t.kinds[i].Name
		}
		t.reject(t.name(setting), flawf(fix, "kind %s does not take %s%s", kind.Name, setting, whose))
	}
}

const exampleCommand = `command = ["/usr/lib/nagios/plugins/check_load", "-w", "5"]`

// command is a program and its arguments, unchanged: no shell reads them.
func (t *table) command() []string {
	const example = exampleCommand
	if text, is := t.values["command"].(string); is {
		t.asked = append(t.asked, "command")
		t.reject(t.at("command"), flawf("write "+example, "command is text: it must be a list, because no shell splits it (%d words)", len(strings.Fields(text))))
		return nil
	}
	if elements, is := t.values["command"].([]any); is && len(elements) == 0 {
		t.asked = append(t.asked, "command")
		t.reject(t.at("command"), flawf("write "+example, "command is empty"))
		return nil
	}
	words, ok := needed[string](t, "command", example)
	if !ok {
		return nil
	}
	for i, word := range words {
		if strings.ContainsRune(word, 0) {
			t.reject(t.elem("command", i), flawf("write "+example, "a word of command contains a zero byte"))
			return nil
		}
	}
	return words
}
