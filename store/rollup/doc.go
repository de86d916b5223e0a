// Package rollup is the history of a provider over months, as values: a [Bucket] sums up an
// hour or a day, a [Sketch] is the distribution of its latencies, and a [Change] is one of
// state or reason. It also knows how they are written, compactly, in the database.
//
// It has no I/O and no clock, and imports only store/provider and the standard library.
package rollup
