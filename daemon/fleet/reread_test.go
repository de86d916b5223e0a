package fleet_test

import (
	"slices"
	"testing"
	"time"

	"github.com/providerd/providerd/daemon/fleet/wire"
	"github.com/providerd/providerd/store/provider"
)

// reread makes a machine read all keys again, by a reload that adds a provider.
func (m *machine) reread(n int) {
	m.configure(m.cfg, append(slices.Clone(m.providers), clouds(n + 10)[9+n]))
}

// A row that a member missed counts as soon as it reads all keys again, although it cannot tell
// when it was written: what it knew is older.
func TestEngine_ARowThatWasMissedIsTaken(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		holder := l.prober("p0")
		other := l.other(holder)
		time.Sleep(3 * time.Minute) // the first probes do not count any more
		other.bus.setCut(true)
		l.play("p0", provider.ServerError, 0)
		holder.local.CheckSoon("p0")
		time.Sleep(2 * time.Second)
		other.reread(1)
		time.Sleep(time.Second)
		other.bus.setCut(false)
		l.until(2*time.Second, "it knows what it missed", func() bool { return other.entry("p0").row.Reason == provider.ServerError })
		if age := time.Since(other.entry("p0").toldAt); age < 3*time.Second {
			t.Errorf("the row seems to be %v old, younger than it can be", age)
		}
	})
}

// Reading a row again does not make it younger: a prober that hangs is noticed all the same.
func TestEngine_ARowThatIsReadAgainDoesNotBecomeYounger(t *testing.T) {
	inLab(t, 2, 1, func(l *lab) {
		s, epoch := l.rogue()
		defer l.close(s)
		l.lie(wire.Row{Epoch: epoch, Reason: provider.OK, Probes: 1})
		for n := range 8 {
			time.Sleep(20 * time.Second)
			for _, m := range l.machines {
				m.reread(n + 1)
			}
		}
		time.Sleep(5 * time.Second)
		l.prober("p0")
		l.young()
	})
}
