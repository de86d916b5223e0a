package examine

import (
	"errors"
	"time"
)

var errHangs = errors.New("the disk does not answer")

// within gives what touches a disk its time. What hangs is left behind: the program ends
// soon.
func within[T any](do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := do()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-time.After(patience):
		var none T
		return none, errHangs
	}
}
