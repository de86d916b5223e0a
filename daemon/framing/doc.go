// Package framing stands between a connection and net/http, and lets only requests
// through of which there cannot be two opinions about where they end.
//
// net/http is lenient, as its users are many: it takes lines that end in LF alone,
// folded headers, chunk extensions, and a Content-Length beside chunks. Something
// between a client and the daemon, should there be anything, may read such a request
// otherwise, and take for its body what is a request of its own to us (RFC 9112,
// section 11.2). A [Conn] refuses it in the daemon's words and ends the connection;
// no byte behind it is looked at.
//
// It imports the standard library and the vocabulary in store/provider.
package framing
