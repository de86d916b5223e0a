// Package store keeps what providerd knows: one row per provider and the events
// that led to it. It exists to hold two promises at once:
//
//   - Reads never wait. Every read comes from an immutable snapshot in memory,
//     behind atomic pointers: no disk, and no lock that is held during disk I/O.
//   - Seen means durable. A change of state, and the event that records it, is
//     committed to a bbolt file first and published to readers second. A result
//     that changes nothing is published at once, without a disk sync.
//
// One goroutine commits changes in groups: a lone change at once, a storm of them once
// a second. While the disk refuses, nothing is lost and nothing unsafe is shown:
// changes wait in memory, reads go on, and [Stats] says why.
//
// A file that is mostly free is compacted: a copy takes its place while it is in use.
//
// A Store outlives its file. If the file is damaged, truncated, moved, deleted or
// replaced while it is open, the store writes a new one at the path, from memory and
// from what can still be read; if it is found damaged at the start, from the latter
// alone. A damaged file is renamed, never deleted and never trusted. A file that
// another process holds, or that a newer version wrote, is refused with an error that
// says what to do. Each value has a checksum: a value that is damaged, or may be older
// than what clients have seen, is reported and not shown.
//
// The number of an event or a refresh never means something else later, whatever
// happens to the database that assigned it.
//
// The package imports the standard library, bbolt, x/sys, go-hclog (a Logger that is
// passed in), store/trust and store/provider. Where a status came from is not its
// business.
package store
