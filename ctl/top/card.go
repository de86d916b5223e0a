package top

import (
	"slices"
	"time"

	"github.com/providerd/providerd/ctl"
)

// A card is one provider on the whole screen.
type card struct {
	id        string
	parts     ctl.CardParts
	err       error // why a part is missing
	asked     time.Time
	diagnosed time.Time // when the layers came from a diagnosis
	scroll    scroll
}

// cardPace is how often a card's parts that are not in the row are read again.
const cardPace = 5 * time.Second

// openCard opens the card of the selected provider.
func (m *model) openCard() []effect {
	if m.selected == "" {
		return nil
	}
	return m.openCardOf(m.selected)
}

func (m *model) openCardOf(id string) []effect {
	if m.view == viewCard && m.card.id == id {
		return nil
	}
	m.view = viewCard
	m.card = card{id: id, asked: m.now()}
	return []effect{askCard{id}}
}

// take keeps the parts that came. The layers of a diagnosis stay until a later probe's do.
func (c *card) take(w cardCame) {
	keep := c.parts.Diagnostics
	c.parts, c.err = w.parts, w.err
	if came := w.parts.Diagnostics; keep != nil && (came == nil || came.BeganAt.Before(keep.BeganAt.Time)) {
		c.parts.Diagnostics = keep
	}
}

// dueCard reads the parts again from time to time.
func (m *model) dueCard() []effect {
	if m.view != viewCard || !m.gone.IsZero() || m.now().Sub(m.card.asked) < cardPace {
		return nil
	}
	m.card.asked = m.now()
	return []effect{askCard{m.card.id}}
}

func (m *model) cardLines() []ctl.Line {
	row := m.find(m.card.id)
	if row == nil {
		return []ctl.Line{{Pieces: m.one(m.plain(m.card.id)+" is not configured any more", ctl.Plain).pieces}}
	}
	parts := m.card.parts
	status := m.aged(row)
	status.Stale = status.Stale || !m.gone.IsZero()
	parts.Row, parts.Maintenance = &status, m.maintained
	lines := ctl.CardLines(parts, ctl.TableOptions{Width: m.width, Now: m.daemonNow(), ASCII: m.ascii, Spell: m.spell})
	lines = slices.Insert(lines, min(1, len(lines)), m.actLines(m.card.id)...)
	if m.card.err != nil {
		text := ctl.Wrap("not all could be read: "+m.plain(errorText(m.card.err)), m.width)
		lines = append(lines, ctl.Line{})
		for _, line := range text {
			lines = append(lines, ctl.Line{Pieces: m.one(line, ctl.Yellow).pieces})
		}
	}
	return lines
}

func (m *model) pressInCard(k key) []effect {
	switch k {
	case "r", "R", "d", "p", "w", "s", "x", "X":
		return m.act(k, m.card.id)
	case "?":
		m.openHelp()
		return nil
	}
	return m.pressInText(k, &m.card.scroll, len(m.cardLines()), viewList)
}
