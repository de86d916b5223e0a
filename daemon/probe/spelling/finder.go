package spelling

import (
	"cmp"
	"slices"
	"strings"
)

// A finder finds the secrets in a source.
type finder struct {
	*Secrets
	sought sought
	found  []span
	lost   bool // the text takes too much work
}

// find searches a text, and what its base64 and hex stand for, decoded up to coded times.
// The surroundings of escapes need more work, and are read with care.
func (f *finder) find(t text, coded int) {
	if f.unusual || len(f.short) > 0 && strings.IndexFunc(t.string, isOddOrEscape) >= 0 {
		f.findEscaped(t, coded)
		return
	}
	seen := t.seen()
	f.plainRuns(seen)
	f.plainWords(t)
	f.findCoded(seen, coded)
	for _, part := range t.escapes() {
		f.findEscaped(text{t.string[part.from:part.to], t.of[part.from:part.to]}, coded)
	}
}

// findCoded searches what the base64 and hex in a text stand for.
func (f *finder) findCoded(seen text, coded int) {
	if coded > 0 {
		seen.eachCode(f.unusual, func(inner text) { f.find(inner, coded-1) })
	}
}

// findEscaped searches all readings of a text.
func (f *finder) findEscaped(t text, coded int) {
	l := newLattice(t)
	if f.lost = f.lost || l.lost; f.lost {
		return
	}
	if f.sought.text == "" {
		f.sought = newSought(f.Secrets)
	}
	if f.runs(l); f.lost {
		return
	}
	if f.words(l); l.lost {
		f.lost = true
		return
	}
	for _, plain := range l.plains() {
		f.findCoded(plain, coded)
	}
}

// plainRuns finds the long secrets in a text as it stands.
func (f *finder) plainRuns(seen text) {
	var run uint64
	for i := range len(seen.string) {
		if run = run<<8 | uint64(chars[seen.string[i]]&lowered); f.maybe(run) && f.has(run, runLength) {
			f.note(seen.span(i-runLength+1, i+1))
		}
	}
}

// plainWords finds the short ones.
func (f *finder) plainWords(t text) {
	for _, w := range f.short {
		for from := 0; ; from++ {
			i := strings.Index(t.string[from:], w.text)
			if i < 0 {
				break
			}
			from += i
			if to := from + len(w.text); !w.alone || !isWithin(t.string, from, to) {
				f.note(t.span(from, to))
			}
		}
	}
}

// isWithin reports whether a part of a text is part of a longer word.
func isWithin(s string, from, to int) bool {
	return from > 0 && chars[s[from-1]]&wordly != 0 || to < len(s) && chars[s[to]]&wordly != 0
}

func (f *finder) note(at span) { f.found = append(f.found, at) }

// A match is a run of a long secret that begins at a place in a lattice.
type match struct {
	at   int32 // where in sought it begins
	size int32 // in bytes
	end  int32 // where the text continues
}

// matches are those of all places, ordered by where they begin in sought.
type matches struct {
	all  []match
	from []span // for each place
}

func (m *matches) of(place int32) []match { return m.all[m.from[place].from:m.from[place].to] }

// matchesPerByte bounds what a hostile text may cost.
const matchesPerByte = 64

// runs finds the long secrets: from the last place to the first, it extends the matches
// that begin after each glyph.
func (f *finder) runs(l *lattice) {
	n := len(l.string)
	m := matches{make([]match, 0, 2*n), make([]span, n+1)}
	for i := n - 1; i >= 0; i-- {
		if f.lost = len(m.all) > matchesPerByte*(n+16); f.lost {
			return
		}
		here := l.from(i)
		if len(here) == 1 && isGap(here[0]) {
			m.from[i] = m.from[here[0].end]
			continue
		}
		first := len(m.all)
		for _, g := range here {
			if !isGap(g) {
				f.begin(&m, g)
			}
		}
		for _, found := range m.all[first:] {
			if found.size >= runLength && (found.at < f.sought.hexFrom || found.size >= 2*runLength) {
				f.note(l.span(i, int(found.end)))
			}
		}
		for _, g := range here { // what begins with a gap begins after it
			if isGap(g) {
				m.all = append(m.all, m.of(g.end)...)
			}
		}
		if len(here) > 1 {
			m.all = m.all[:first+len(longest(m.all[first:]))]
		}
		m.from[i] = span{int32(first), int32(len(m.all))}
	}
}

func isGap(g glyph) bool { return g.stands == "" || g.stands == " " }

// begin adds the matches that begin with g and continue with those after it.
func (f *finder) begin(m *matches, g glyph) {
	after := m.of(g.end)
	for at := range f.sought.places(byte(chars[g.stands[0]] & lowered)) {
		if !strings.HasPrefix(f.sought.text[at+1:], g.stands[1:]) {
			continue
		}
		found := match{at, int32(len(g.stands)), g.end}
		for len(after) > 0 && after[0].at < at+found.size {
			after = after[1:]
		}
		if len(after) > 0 && after[0].at == at+found.size {
			found.size, found.end = found.size+after[0].size, after[0].end
		}
		m.all = append(m.all, found)
	}
}

// longest sorts matches. Of those that begin at the same place it keeps the longest, and
// the one that takes the most text.
func longest(found []match) []match {
	slices.SortFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.size, a.size), cmp.Compare(b.end, a.end))
	})
	return slices.CompactFunc(found, func(a, b match) bool { return a.at == b.at })
}

// words finds the short secrets.
func (f *finder) words(l *lattice) {
	for _, w := range f.short {
		for i := range l.string {
			l.spelled(i, w.text, func(end int) {
				if !w.alone || !l.isWithin(i, end) {
					f.note(l.span(i, end))
				}
			})
		}
	}
}

// spelled calls f with each possible end of a text that begins at i and may be read as s.
func (l *lattice) spelled(i int, s string, f func(end int)) {
	if s == "" {
		f(i)
		return
	}
	if i == len(l.string) {
		return
	}
	for _, g := range l.from(i) {
		rest, ok := strings.CutPrefix(s, g.stands)
		if !ok || g.open {
			continue
		}
		if l.steps--; l.steps < 0 {
			l.lost = true
			return
		}
		l.spelled(int(g.end), rest, f)
	}
}

// isWithin reports whether a part of the text is part of a longer word.
func (l *lattice) isWithin(from, to int) bool {
	if !isWithin(l.string, from, to) || isWithin(l.string, 0, to) {
		return isWithin(l.string, from, to)
	}
	for i := range from { // it may be the last letter of an escape
		if slices.ContainsFunc(l.from(i), func(g glyph) bool { return int(g.end) == from && i < from-1 }) {
			return false
		}
	}
	return true
}

// Begun returns where s ends with the beginning of a secret, however it is spelled, and
// len(s) if it does not end with one.
func (m *Secrets) Begun(s string) int {
	if m == nil {
		return len(s)
	}
	secrets := strings.Split(strings.TrimSuffix(m.long, "\n"), "\n")
	l := newLattice(textOf(s))
	if l.lost {
		return len(s) // all of it is masked
	}
	for i := range s {
		for _, secret := range secrets {
			if secret != "" && l.beginsAt(i, secret, true) {
				return i
			}
		}
		for _, w := range m.short {
			if l.beginsAt(i, w.text, false) {
				return i
			}
		}
	}
	return len(s)
}

// beginsAt reports whether the text from i to its end may be read as the beginning of a
// long or short secret.
func (l *lattice) beginsAt(i int, secret string, long bool) bool {
	if i == len(l.string) {
		return true
	}
	return slices.ContainsFunc(l.from(i), func(g glyph) bool {
		if l.steps--; l.steps < 0 || g.open {
			return true
		}
		stands := g.stands
		if long {
			stands = lower(strings.Trim(stands, " "))
		}
		rest, ok := strings.CutPrefix(secret, stands)
		return ok && (rest != "" || int(g.end) == len(l.string)) && l.beginsAt(int(g.end), rest, long)
	})
}
