package underway_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerd/providerd/store/underway"
)

func TestWork_Within(t *testing.T) {
	t.Run("IsTheErrorOfWhatEnds", func(t *testing.T) {
		var w underway.Work
		mine := errors.New("mine")
		if err := w.Within(time.Minute, "reading", func() error { return mine }); err != mine {
			t.Errorf("got %v", err)
		}
		if what, _ := w.Oldest(); what != "" {
			t.Errorf("%q is under way still", what)
		}
	})
	t.Run("LeavesWhatHangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var w underway.Work
			answer := make(chan struct{})
			began := time.Now()
			err := w.Within(5*time.Second, "reading a file", func() error { <-answer; return nil })
			var hang *underway.HangError
			if !errors.As(err, &hang) || time.Since(began) != 5*time.Second || hang.Hint() == "" {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			if want := "reading a file has not ended for 5s: the disk does not answer"; err.Error() != want {
				t.Errorf("it says %q, want %q", err, want)
			}
			time.Sleep(7 * time.Second)
			if what, age := w.Oldest(); what != "reading a file" || age != 12*time.Second {
				t.Errorf("%q for %s", what, age)
			}
			close(answer)
			synctest.Wait()
			if what, _ := w.Oldest(); what != "" {
				t.Errorf("%q is under way still", what)
			}
		})
	})
	t.Run("APanicIsItsCallers", func(t *testing.T) {
		defer func() {
			if recover() != "broken" {
				t.Error("nobody heard of it")
			}
		}()
		var w underway.Work
		_ = w.Within(time.Minute, "reading", func() error { panic("broken") })
	})
}

// Each hanging call costs a thread, so their number is limited, but only while one hangs.
func TestWork_IsBoundedWhileItHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := underway.Work{Most: 4}
		answer := make(chan struct{})
		begun := make(chan struct{}, 100)
		read := func() error {
			return w.Within(5*time.Second, "reading", func() error { begun <- struct{}{}; <-answer; return nil })
		}
		for range 6 { // at once: nobody knows yet that it hangs
			go read()
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		if err := read(); err == nil || !strings.Contains(err.Error(), "has not ended for 2s") {
			t.Errorf("one more: %v", err)
		}
		if n := len(begun); n != 6 {
			t.Errorf("%d were begun", n)
		}
		close(answer)
		synctest.Wait()
		if err := read(); err != nil {
			t.Errorf("after all ended: %v", err)
		}
	})
}
