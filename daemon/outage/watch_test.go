package outage_test

import (
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/outage"
	"github.com/providerd/providerd/store/provider"
)

// A machine is watched from t0 on, at event 10. Times are as its clock shows them.
func TestWatch(t *testing.T) {
	const year = 365 * 24 * time.Hour
	at := func(d time.Duration) time.Time { return t0.Add(d) }
	event := func(seq uint64, d time.Duration) *provider.Event {
		return &provider.Event{Seq: seq, Time: provider.Time{Time: at(d)}}
	}
	begun := outage.NewWatch(t0, 10)
	// After a minute the clock is set ten years forward, and after two more back.
	there := begun.Missed(outage.Lapse{Jumped: 10 * year}, at(10*year+time.Minute), 12, 14)
	back := there.Missed(outage.Lapse{Jumped: -10 * year}, at(3*time.Minute), 16, 16)
	held := begun.Missed(outage.Lapse{Held: 10 * time.Minute}, at(20*time.Minute), 12, 12)
	for name, c := range map[string]struct {
		w    outage.Watch
		e    *provider.Event
		want time.Duration // on the clock as it is at last
	}{
		"NothingHappened":          {begun, event(11, time.Second), time.Second},
		"FromBefore":               {begun, event(9, -time.Hour), -time.Hour},
		"FromBeforeAndYetToCome":   {begun, event(9, 10*year), 0},
		"BeforeTheJump":            {there, event(11, 30*time.Second), 10*year + 30*time.Second},
		"BeforeTheJumpSavedLater":  {there, event(14, 59*time.Second), 10*year + 59*time.Second},
		"AfterTheJumpBeforeNotice": {there, event(13, 10*year+59*time.Second), 10*year + 59*time.Second},
		"AfterTheJump":             {there, event(15, 10*year+90*time.Second), 10*year + 90*time.Second},
		"BeforeBoth":               {back, event(11, 30*time.Second), 30 * time.Second},
		"BetweenThem":              {back, event(15, 10*year+90*time.Second), 90 * time.Second},
		"AfterBoth":                {back, event(17, 4*time.Minute), 4 * time.Minute},
		"ALongTimeAfter":           {back, event(18, 11*year), 11 * year},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.w.At(c.e); !got.Equal(at(c.want)) {
				t.Errorf("%s, want %s", got.Sub(t0), c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		w           outage.Watch
		from, until time.Duration
		want        time.Duration
	}{
		"All":               {begun, 0, time.Hour, time.Hour},
		"NotBeforeItBegan":  {begun, -time.Hour, time.Hour, time.Hour},
		"TheWrongWayRound":  {begun, time.Hour, 0, 0},
		"ClockSet":          {there, 10 * year, 10*year + time.Hour, time.Hour},
		"ClockSetAndBack":   {back, 0, time.Hour, time.Hour},
		"HeldUp":            {held, 0, time.Hour, 50 * time.Minute},
		"HeldUpInTheMiddle": {held, 15 * time.Minute, 18 * time.Minute, 0},
		"HeldUpAtTheEnd":    {held, 0, 15 * time.Minute, 10 * time.Minute},
		"HeldUpBefore":      {held, 30 * time.Minute, time.Hour, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.w.Seen(at(c.from), at(c.until)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	if !begun.Began().Equal(t0) || !there.Began().Equal(at(10*year)) || !back.Began().Equal(t0) {
		t.Errorf("began at %s, %s, %s", begun.Began(), there.Began(), back.Began())
	}
}

// What is remembered is bounded; what is forgotten is not counted.
func TestWatch_ForgetsTheOldest(t *testing.T) {
	w := outage.NewWatch(t0, 0)
	const n = 1000
	for i := range n {
		w = w.Missed(outage.Lapse{Held: time.Minute}, t0.Add(time.Duration(i+1)*time.Hour), uint64(i), uint64(i))
	}
	now := t0.Add((n + 1) * time.Hour)
	seen := w.Seen(t0, now)
	if all := now.Sub(w.Began()); seen >= all || w.Began().Before(t0.Add((n-300)*time.Hour)) {
		t.Errorf("began %s, seen %s of %s", w.Began().Sub(t0), seen, all)
	}
}
