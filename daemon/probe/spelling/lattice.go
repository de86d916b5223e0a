package spelling

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A glyph is what a part of a text stands for: a character or an octet of one, a space for
// any blank, or nothing, for an invisible character.
type glyph struct {
	stands string
	end    int32 // where the next one begins
	open   bool  // an escape truncated by the end of the text: it may stand for anything
	joins  bool  // a backslash or a = before a blank: both join two lines
}

// A lattice is a text with all its possible readings. Each place has the literal character
// and, if an escape begins there, what that stands for. A character of an escape may itself
// be escaped, in the same way or another, so a secret that was escaped several times can
// still be found.
type lattice struct {
	text
	glyphs []glyph // those of the last place first
	at     []int32 // where the glyphs of a place begin; they end where those of the previous place begin

	steps int // that are left
	lost  bool
}

const (
	// maxGlyphs is the limit of glyphs at one place.
	maxGlyphs = 24
	// stepsPerByte bounds the cost of a hostile text. Of a thousand texts that were escaped
	// twice, each character in another way, one takes more than 4.
	stepsPerByte = 16
	maxGaps      = 32 // in an escape
)

// newLattice reads a text. The lattice is lost if the text takes too much work.
func newLattice(t text) *lattice {
	n := len(t.string)
	l := &lattice{text: t, glyphs: make([]glyph, 0, n+n/4+1), at: make([]int32, n+1), steps: stepsPerByte * (n + 16)}
	for i := n - 1; i >= 0 && !l.lost; i-- {
		l.at[i] = int32(len(l.glyphs))
		l.literal(i)
		// Each new glyph is examined in turn: it may begin an escape too.
		for g := int(l.at[i]); g < len(l.glyphs) && !l.lost; g++ {
			if found := l.glyphs[g]; len(found.stands) == 1 {
				if e, ok := escapeBegins(found.stands[0]); ok {
					l.read(i, e, int(found.end))
				}
			}
		}
	}
	return l
}

// literal adds the character at i as it is.
func (l *lattice) literal(i int) {
	if c := chars[l.string[i]]; c&odd == 0 {
		l.glyphs = append(l.glyphs, glyph{stands: l.string[i : i+1], end: int32(i + 1)})
		return
	}
	c, size := utf8.DecodeRuneInString(l.string[i:])
	if stands := character(c); len(stands) < 2 {
		l.glyphs = append(l.glyphs, glyph{stands: stands, end: int32(i + size)})
	}
	if c >= utf8.RuneSelf { // octet by octet, as it may be escaped
		l.glyphs = append(l.glyphs, glyph{stands: l.string[i : i+1], end: int32(i + 1)})
	}
}

// read adds to the glyphs of a place what an escape stands for that begins there and
// continues at i. A gap may be anywhere in it, because lines are broken anywhere. An
// escaped gap does not count, unless it joins lines.
func (l *lattice) read(place int, e escape, i int) {
	if i == len(l.string) {
		l.add(place, glyph{end: int32(i), open: true})
		return
	}
	mayJoin := e.form == afterEquals || e.form == afterBackslash
	for which, g := range l.from(i) {
		if l.steps--; l.steps < 0 {
			l.lost = true
			return
		}
		switch {
		case isGap(g):
			if mayJoin && g.stands == " " {
				l.add(place, glyph{end: g.end, joins: true})
			}
			if e.gaps < maxGaps && (which == 0 || mayJoin || g.joins) && !g.open {
				wider := e
				wider.gaps++
				l.read(place, wider, int(g.end))
			}
		case len(g.stands) == 1:
			s := e.read(g.stands[0])
			if s.is {
				l.add(place, glyph{stands: s.stands, end: g.end})
			}
			if s.goesOn {
				s.next.gaps = e.gaps
				l.read(place, s.next, int(g.end))
			}
		}
	}
}

func (l *lattice) add(place int, g glyph) {
	here := l.glyphs[l.at[place]:]
	if slices.Contains(here, g) {
		return
	}
	l.glyphs = append(l.glyphs, g)
	l.lost = l.lost || len(here) == maxGlyphs
}

// from are the glyphs that begin at a place, literal ones first.
func (l *lattice) from(i int) []glyph {
	if i == 0 {
		return l.glyphs[l.at[0]:]
	}
	return l.glyphs[l.at[i]:l.at[i-1]]
}

// plains are the text without blanks and invisible characters: as it is, with all escapes
// undone, and with those that begin with one character: in hex, another escape may be there by
// chance. It is unknown whether a backslash before a blank joins lines.
func (l *lattice) plains() []text {
	asItStands := func(here []glyph) glyph { return here[0] }
	deepest := func(here []glyph) glyph {
		return slices.MaxFunc(here, func(a, b glyph) int { return int(a.depth() - b.depth()) })
	}
	joined := func(otherwise func([]glyph) glyph) func([]glyph) glyph {
		return func(here []glyph) glyph {
			if i := slices.IndexFunc(here, func(g glyph) bool { return g.joins }); i >= 0 {
				return here[i]
			}
			return otherwise(here)
		}
	}
	choices := []func([]glyph) glyph{asItStands, joined(asItStands), joined(deepest), deepest}
	for _, begins := range []string{`\`, "%", "&", "="} {
		if strings.Contains(l.string, begins) {
			choices = append(choices, func(here []glyph) glyph {
				if here[0].stands == begins {
					return deepest(here)
				}
				return here[0]
			})
		}
	}
	var found []text
	for _, choose := range choices {
		t := l.plain(choose)
		if !slices.ContainsFunc(found, func(f text) bool { return f.string == t.string }) {
			found = append(found, t)
		}
	}
	return found
}

// depth orders the glyphs at a place: the longer an escape, the deeper.
func (g glyph) depth() int32 {
	if g.open {
		return -1
	}
	return g.end
}

// plain is the text with the chosen glyph at each place.
func (l *lattice) plain(choose func([]glyph) glyph) text {
	stands := make([]byte, 0, len(l.string))
	of := make([]span, 0, len(l.string))
	for i := 0; i < len(l.string); {
		g := choose(l.from(i))
		if g.stands != " " {
			for _, c := range []byte(g.stands) {
				stands = append(stands, c)
				of = append(of, l.span(i, int(g.end)))
			}
		}
		i = int(g.end)
	}
	return text{string(stands), of}
}
