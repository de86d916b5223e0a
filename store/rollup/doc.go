// Package rollup has the values of a provider's history over months: a [Bucket] sums up an hour
// or a day, a [Sketch] is the distribution of its latencies, and a [Change] is one of state or
// reason. It also has their compact encoding for the database.
//
// It has no I/O and no clock, and imports only store/provider and the standard library.
package rollup
