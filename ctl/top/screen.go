package top

import (
	"github.com/gdamore/tcell/v3"
	"github.com/rivo/uniseg"
)

// keyOf is the key of an event, empty if it has none that matters.
func keyOf(e *tcell.EventKey) key {
	if !e.Pressed() {
		return ""
	}
	if k, named := namedKeys[e.Key()]; named {
		return k
	}
	if e.Key() == tcell.KeyRune && e.Modifiers()&(tcell.ModAlt|tcell.ModMeta|tcell.ModCtrl) == 0 {
		return key(e.Str())
	}
	return ""
}

var namedKeys = map[tcell.Key]key{
	tcell.KeyUp: keyUp, tcell.KeyDown: keyDown, tcell.KeyPgUp: keyPageUp, tcell.KeyPgDn: keyPageDown,
	tcell.KeyHome: keyHome, tcell.KeyEnd: keyEnd, tcell.KeyEnter: keyEnter, tcell.KeyEsc: keyEscape,
	tcell.KeyBackspace: keyBackspace, tcell.KeyBackspace2: keyBackspace,
	tcell.KeyCtrlC: keyInterrupt, tcell.KeyCtrlZ: keySuspend, tcell.KeyCtrlL: keyRedraw, tcell.KeyCtrlU: keyErase,
}

// paint draws one line. Each cluster goes where the layout puts it, even if the terminal's
// library measures another width.
func (p *program) paint(y int, line frameLine) {
	x := 0
	for _, span := range line.pieces {
		style := p.tones[span.Tone].Reverse(line.selected)
		for rest, state := span.Text, -1; rest != ""; {
			var cluster string
			var width int
			cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
			p.Screen.Put(x, y, cluster, style)
			x += width
		}
	}
	blank := tcell.StyleDefault.Reverse(line.selected)
	for ; x < p.model.width; x++ {
		p.Screen.Put(x, y, " ", blank)
	}
}
