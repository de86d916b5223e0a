package control

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTurns(t *testing.T) {
	t.Run("OneAfterTheOther", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shared := make(turns, 1)
			first, second := &conn{turns: shared}, &conn{turns: shared}
			first.takeTurn()
			first.takeTurn() // has it already
			took := make(chan bool)
			go func() {
				second.takeTurn()
				took <- second.hasTurn
			}()
			synctest.Wait()
			select {
			case <-took:
				t.Error("both have a turn")
			default:
			}
			first.endTurn()
			first.endTurn() // has none
			if !<-took {
				t.Error("the second has none")
			}
			second.endTurn()
		})
	})
	t.Run("NotForEver", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			shared := make(turns, 1)
			stuck, other := &conn{turns: shared}, &conn{turns: shared}
			stuck.takeTurn()
			began := time.Now()
			other.takeTurn()
			if waited := time.Since(began); other.hasTurn || waited != turnWait {
				t.Errorf("a turn %v after %v", other.hasTurn, waited)
			}
			other.endTurn() // must not end the other one's
			if len(shared) != 1 {
				t.Error("it ended a turn that it did not have")
			}
		})
	})
}
