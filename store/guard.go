package store

import (
	"fmt"
	"runtime/debug"
)

// A panicError is a panic of bbolt's, which panics on damage that it does not
// expect.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("bbolt panicked: %v", e.value) }

// guard runs fn and turns a panic into a [panicError]. So it does with a fault:
// a file that somebody cuts short while it is mapped would end the whole program.
func guard(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if v := recover(); v != nil {
			err = &panicError{v}
		}
	}()
	return fn()
}
