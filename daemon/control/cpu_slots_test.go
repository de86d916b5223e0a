package control

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestCPUSlots(t *testing.T) {
	t.Run("OneAfterTheOther", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shared := make(cpuSlots, 1)
			first, second := &conn{slots: shared}, &conn{slots: shared}
			first.takeSlot()
			first.takeSlot() // has it already
			took := make(chan bool)
			go func() {
				second.takeSlot()
				took <- second.hasSlot
			}()
			synctest.Wait()
			select {
			case <-took:
				t.Error("both have a slot")
			default:
			}
			first.freeSlot()
			first.freeSlot() // has none
			if !<-took {
				t.Error("the second has none")
			}
			second.freeSlot()
		})
	})
	t.Run("NotForEver", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shared := make(cpuSlots, 1)
			stuck, other := &conn{slots: shared}, &conn{slots: shared}
			stuck.takeSlot()
			began := time.Now()
			other.takeSlot()
			if waited := time.Since(began); other.hasSlot || waited != slotWait {
				t.Errorf("a slot %v after %v", other.hasSlot, waited)
			}
			other.freeSlot() // must not end the other one's
			if len(shared) != 1 {
				t.Error("it freed a slot that it did not have")
			}
		})
	})
}
