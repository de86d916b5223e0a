// Package logging is the daemon's own log: lines for people or for machines, written
// to whoever started the daemon, and kept for those who read them over the control
// socket. It exists so that whoever logs never waits for whoever reads, and so that
// nothing in a record can pass for another record.
//
// It imports hclog and, of this module, store/provider for the form of a line on the
// socket.
package logging
