package main

import (
	"os"
	"runtime/debug"
)

// garbage is how much the heap may grow, in percent of what is in use, before a garbage
// collection; Go's default is 100. Nearly all that a daemon allocates is garbage a moment
// later, so this decides how much memory it holds. See docs/decisions/memory.md.
const garbage = 65

// limitGarbage sets it, unless the variable GOGC is set.
func limitGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}
