package fleet

import "time"

// wordEvery and wordsAtOnce are how often the scheduler hears what others say of one provider:
// once a second, and a few times in succession. An honest prober has no more to say, because it
// makes at most one probe a second. Of one that says more, the newest word counts, and it
// cannot fill the events, the log and the database of others.
const (
	wordEvery   = time.Second
	wordsAtOnce = 5
)

// A pace is when words were passed on. The zero value is one that passed on none.
type pace struct{ next time.Time }

// take passes a word on now, or returns how long it has to wait.
func (p *pace) take(now time.Time) (wait time.Duration) {
	if wait := p.next.Add(-(wordsAtOnce - 1) * wordEvery).Sub(now); wait > 0 {
		return wait
	}
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(wordEvery)
	return 0
}

// A word is one that may wait: the newest row, or limit, of a provider.
type word struct {
	pace
	at time.Time // when it is passed on; zero: none waits
}

// take reports whether the word may be passed on now. Otherwise it waits.
func (w *word) take(now time.Time) bool {
	w.at = time.Time{}
	if wait := w.pace.take(now); wait > 0 {
		w.at = now.Add(wait)
	}
	return w.at.IsZero()
}

// isDue reports whether a word has waited long enough.
func (w *word) isDue(now time.Time) bool { return !w.at.IsZero() && !w.at.After(now) }

// passOn passes on what has waited long enough.
func (e *Engine) passOn(it *item, now time.Time) {
	if it.rowWord.isDue(now) {
		e.tell(it, now)
	}
	if it.limitWord.isDue(now) {
		e.tellLimit(it, now)
	}
}
