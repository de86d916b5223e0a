package store

import "time"

const (
	commitBurst  = 8                      // commits that may follow one another without a wait
	commitOften  = 250 * time.Millisecond // between two of those that follow, on a quick disk
	commitSeldom = time.Second            // likewise on a slow one, and in the long run
	commitSpare  = 240                    // commits above the rate of the long run
	commitShare  = 20                     // commits keep a disk busy for at most one part in so many, if they can
)

// A pace says how long commits wait for one another, so that what comes meanwhile joins them. A
// server that fails and returns every second makes two commits a second, and people wait for
// each of them. A storm that does not end is cheap in the long run.
type pace struct {
	quick, long bucket
}

// A bucket starts full. A commit takes a token, and tokens come back in time.
type bucket struct {
	most, tokens float64
	every        time.Duration // one comes back
	at           time.Time
}

func newPace(now time.Time) *pace {
	return &pace{bucket{commitBurst, commitBurst, commitOften, now}, bucket{commitSpare, commitSpare, commitSeldom, now}}
}

// take takes a token of each bucket and returns how long to wait before using them.
func (p *pace) take(now time.Time) time.Duration {
	return max(p.quick.take(now), p.long.take(now))
}

// suit adapts the pace to how long a commit took.
func (p *pace) suit(took time.Duration) {
	p.quick.every = min(max(commitOften, commitShare*took), commitSeldom)
}

// isFull reports whether a whole burst of commits is allowed again.
func (p *pace) isFull(now time.Time) bool {
	return p.quick.now(now) >= p.quick.most
}

func (b *bucket) now(now time.Time) float64 {
	return min(b.most, b.tokens+now.Sub(b.at).Seconds()/b.every.Seconds())
}

func (b *bucket) take(now time.Time) time.Duration {
	b.tokens, b.at = b.now(now)-1, now
	return max(0, time.Duration(-b.tokens*float64(b.every)))
}
