package store

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
	"github.com/providerd/providerd/store/rollup"
)

const (
	// openEvery is how often open hours that did not change join a commit that is made anyway,
	// and openAtOnce is how many at a time: they fit on one or two pages of the file.
	openEvery  = 5 * time.Minute
	openAtOnce = 64
	// mostBatches is how many batches wait while commits fail. Later ones are merged.
	mostBatches = 64
)

// A batch is a part of the history that is written once. Its number shows whether a commit that
// failed is in the file nonetheless.
type batch struct {
	number  uint64
	changes changes
	renamed map[string]name
	closed  []closedHour
	until   time.Time // when the last closed hour ended; zero if none was closed
	rolls   uint64
}

// An account is the part of the history that one commit writes. It is immutable.
type account struct {
	batches []*batch
	open    []openHour
	alive   time.Time // until when providers were watched; zero if not known
	afresh  bool      // open has all open hours
}

// An openHour is a tally as it is written, so that another process can continue it.
type openHour struct {
	number uint32
	rolls  uint64 // how often hours had been closed by then
	hour   time.Time
	until  time.Time // the bucket has the time in the state up to here
	state  provider.State
	reason provider.Reason
	bucket rollup.Bucket
}

// due reports whether the history needs a commit of its own.
func (l *ledger) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isDue()
}

func (l *ledger) isDue() bool {
	for number := range l.waiting {
		if number != machine {
			return true
		}
	}
	return l.afresh || len(l.unsaved) > 0 || len(l.closed) > 0 || len(l.renamed) > 0
}

// take returns what a commit has to write. An idle commit has nothing else to write. The last
// one ends an orderly stop.
func (l *ledger) take(idle, last bool, now time.Time) *account {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seal()
	a := &account{batches: slices.Clone(l.unsaved), alive: l.wall, afresh: l.afresh || last}
	ride := !idle && now.Sub(l.rodeAt) >= openEvery
	first := l.rider
	if ride {
		l.rodeAt, l.rider = now, l.rider+openAtOnce
		if l.rider > l.top {
			l.rider = 0
		}
	}
	for _, t := range l.tallies {
		if a.afresh || t.changed || ride && t.number-first < openAtOnce {
			a.open = append(a.open, l.opened(t))
			t.changed = false
		}
	}
	slices.SortFunc(a.open, func(x, y openHour) int { return cmp.Compare(x.number, y.number) })
	l.afresh = false
	return a
}

// watchedUntil returns until when providers were watched without a break since the last commit.
// It returns false if a part of that is not in the database yet.
func (l *ledger) watchedUntil() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wall, !l.lookedAt.IsZero() && !l.isDue()
}

// seal turns what is waiting into a batch.
func (l *ledger) seal() {
	empty := len(l.waiting) == 0 && len(l.closed) == 0 && len(l.renamed) == 0 && l.until.IsZero()
	if empty || len(l.unsaved) >= mostBatches {
		return
	}
	l.batches++
	l.unsaved = append(l.unsaved, &batch{l.batches, l.waiting, l.renamed, l.closed, l.until, l.rolls})
	l.waiting, l.renamed, l.closed, l.until = changes{}, map[string]name{}, nil, time.Time{}
}

// opened returns a tally as it is written.
func (l *ledger) opened(t *tally) openHour {
	if !t.gone {
		t.settle(l.seen)
	}
	return openHour{
		number: t.number, rolls: l.rolls, hour: l.hour, until: l.wallAt(t.mark),
		state: t.state, reason: t.reason, bucket: t.Bucket(l.hour),
	}
}

// finish records how the commit of an account ended.
func (l *ledger) finish(a *account, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.afresh = l.afresh || len(a.open) > 0
		return
	}
	last := uint64(0)
	for _, b := range a.batches {
		last = max(last, b.number)
	}
	l.unsaved = slices.DeleteFunc(l.unsaved, func(b *batch) bool { return b.number <= last })
	l.release(last)
}

// rewrite makes the next commit write the names and the open hours of all: the file was
// replaced by one that may lack them.
func (l *ledger) rewrite() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, n := range l.names {
		l.renamed[id] = n
	}
	l.afresh = true
}

// mostAlive is how far the notes outside the database can be ahead of it. There is a commit
// every hour.
const mostAlive = 2 * rollup.Hour

// stretch extends the time that the last process is known to have watched, if the twin has a
// later end and belongs to the commit that was found.
func (p *past) stretch(t *twinText, found *contents, file uint64) {
	at := milliTime(t.Alive)
	same := t.Mark.File != 0 && t.Mark.File == file && t.Mark.Tx == found.txid && !found.copied
	if same && at.After(p.alive) && at.Sub(p.alive) <= mostAlive {
		p.alive = at
	}
}

// resume continues the history in a file.
func (l *ledger) resume(past *past) {
	l.tallies, l.waiting, l.renamed = map[string]*tally{}, changes{}, map[string]name{}
	l.names, l.batches, l.rolls, l.wall = maps.Clone(past.names), past.batch, past.rolls, past.alive
	if l.names == nil {
		l.names = map[string]name{}
	}
	ids := make(map[uint32]string, len(l.names))
	for id, n := range l.names {
		l.top = max(l.top, n.number)
		ids[n.number] = id
	}
	for _, o := range past.open {
		l.top = max(l.top, o.number) // its name may be damaged, and nobody else may get its history
		if id, ok := ids[o.number]; ok {
			l.reopen(id, o, past)
		}
	}
	if !past.alive.IsZero() {
		l.note(machine, rollup.Change{Time: past.alive})
	}
}

// reopen continues an open hour. Its state counts until the last moment at which the process is
// known to have been alive.
func (l *ledger) reopen(id string, o openHour, past *past) {
	t := &tally{number: o.number, state: o.state, reason: o.reason, gone: true} // until it is configured
	l.tallies[id] = t
	from := o.until
	if o.rolls == past.rolls {
		t.Open = rollup.Reopen(&o.bucket)
	} else { // its content is in the hour that has been closed since
		from, o.hour = past.until, rollup.Begin(past.until, rollup.Hour)
	}
	for from.Before(past.alive) && past.alive.Sub(from) <= KeepHours {
		end := rollup.Begin(from, rollup.Hour).Add(rollup.Hour)
		if end.After(past.alive) {
			end = past.alive
		}
		if hour := rollup.Begin(from, rollup.Hour); !hour.Equal(o.hour) && !o.hour.After(hour) {
			l.closeEarly(t, o.hour)
			o.hour = hour
		}
		t.Spend(t.state, t.reason, end.Sub(from))
		from = end
	}
	switch {
	case l.hour.IsZero() || l.hour.Equal(o.hour):
		l.hour = o.hour
	case o.hour.After(l.hour):
		for _, other := range l.tallies {
			if other != t {
				l.closeEarly(other, l.hour)
			}
		}
		l.hour = o.hour
	default:
		l.closeEarly(t, o.hour)
	}
}

// closeEarly closes one provider's hour, if it is not the same as that of the others.
func (l *ledger) closeEarly(t *tally, hour time.Time) {
	if !t.IsEmpty() {
		b := t.Bucket(hour)
		l.closed = append(l.closed, closedHour{hour, t.number, l.rolls, b.Append(nil)})
		l.afresh = true
	}
	t.Reset()
}
