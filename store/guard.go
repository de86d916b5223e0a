package store

import (
	"fmt"
	"runtime/debug"
)

// A panicError is a panic of bbolt's: it panics on unexpected damage.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("bbolt panicked: %v", e.value) }

// guard runs fn and turns a panic into a [panicError], and a memory fault too: without
// that, truncating a mapped file would end the whole program.
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
