package control

import (
	"testing"
	"testing/synctest"
	"time"
)

// A request that computes for long gives the process's other requests their turn, until it ends.
func TestBreath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := make(cpuSlots, 1)
		long, other := &conn{slots: slots}, &conn{slots: slots}
		long.takeSlot()
		pause := &breath{conn: long, taken: time.Now()}
		had := make(chan bool, 1)
		wait := func() {
			go func() {
				other.takeSlot()
				had <- other.hasSlot
				other.freeSlot()
			}()
			synctest.Wait()
		}
		compute := func() {
			time.Sleep(2 * time.Millisecond)
			for range 64 {
				pause.breathe()
			}
		}
		wait()
		compute()
		if !<-had || !long.hasSlot {
			t.Error("the other did not get its turn, or the long one not another")
		}
		pause.end()
		wait()
		compute()
		if <-had {
			t.Error("it gave up its turn after its end")
		}
		long.freeSlot()
	})
}
