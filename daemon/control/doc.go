// Package control is the control socket: HTTP/1.1 with JSON over a Unix socket,
// so that curl is a full client. Everything between a request on that socket and a decision
// of the daemon is in this package: permissions, limits, routes and streams. Package
// daemon/socket makes the socket itself, and identifies its peers.
//
// It reads from the store and calls the rest of the daemon through two small interfaces,
// [Providers] and [Daemon]; it decides nothing about providers. From this module it imports
// store and the packages below it, daemon/socket, daemon/schedule for the result of a
// refresh, daemon/logging for the lines it shows, and daemon/scarce for when open files run
// out.
//
// # Reading
//
// A plain read does not wait: it copies rows that are already encoded. Only a request that
// says so (max_age, wait) waits, and always for a change of the row, never for a fixed time.
//
// # Streams
//
// A follower is only a cursor into the events or the log. There is no queue per client, so
// that a thousand idle followers cost a thousand connections and no more. A follower that
// stops reading is disconnected, but only after the line it was in the middle of and a last
// line that says why; see conn.go.
package control
