// Package control is the control socket: HTTP/1.1 with JSON over a Unix socket,
// so that curl is a full client. It exists so that everything between a request on
// that socket and a decision of the daemon is in one place: what its sender may do,
// how many of them are served at a time, the routes, and the streams. The socket
// itself is made by daemon/socket, which also says who is at its other end.
//
// It reads from the store and asks the rest of the daemon through two small
// interfaces, [Providers] and [Daemon]; it decides nothing about providers. Of
// this module it imports store and the packages below it, daemon/socket, daemon/schedule
// for the type that says what became of a refresh, daemon/logging for the lines it
// shows, and daemon/scarce for when open files run out.
//
// # Reading
//
// A plain read waits for nothing: it copies rows that are already encoded. Only
// a request that says so (max_age, wait) waits, and always for the row's own
// change, never for a moment in time.
//
// # Streams
//
// A follower is a cursor into the events or the log, and nothing else: there is
// no queue per client, so that a thousand idle followers cost a thousand
// connections and no more. One that stops reading is cut off, but not before the
// line it was in the middle of and a last line that says why; see conn.go.
package control
