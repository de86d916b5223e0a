// Package logging is the daemon's own log: lines for people or for machines, written to
// standard error, and kept for readers on the control socket. It makes sure that logging
// never waits for a reader, and that nothing in a record can pass for another record.
//
// It imports hclog and, from this module, store/provider for the form of a line on the
// socket.
package logging
