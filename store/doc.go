// Package store keeps what providerd knows: one row per provider and the events
// that led to it. It exists to hold two promises at once:
//
//   - Reads never wait. Every read comes from an immutable snapshot in memory,
//     behind atomic pointers; no disk, no lock that a writer holds over a disk.
//   - Seen means durable. A change of state, and the event that records it, is
//     committed to a bbolt file first and published to readers second. A result
//     that changes nothing is published at once and costs no disk sync.
//
// Changes are committed in groups by one goroutine, a lone change at once and a
// storm of them once a second. When the disk refuses, nothing is lost and nothing
// unsafe is shown: changes wait in memory, reads go on, [Stats] says why.
//
// A Store outlives its file. One that is damaged, cut short, moved, deleted or
// replaced while it is open is written anew at the path, from memory and from what
// can still be read; one that is found damaged at the start, from the latter alone.
// A damaged file is kept aside under another name, never deleted and never trusted;
// one that is held by another process, or written by a newer version, is refused
// with an error that says what to do. Each value has a checksum: what is damaged, or
// may be older than what was seen, is not shown, and said.
//
// The number of an event or a refresh never means something else later, whatever
// becomes of the database that gave it.
//
// The package imports the standard library, bbolt, x/sys, go-hclog (a Logger that is
// passed in), store/trust and store/provider; it does not care where a status came from.
package store
