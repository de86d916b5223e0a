// Package framing stands between a connection and net/http, and lets only those
// requests through whose end is unambiguous.
//
// net/http is lenient: it accepts lines that end in LF alone, folded headers, chunk
// extensions, and a Content-Length beside chunks. A proxy between a client and the
// daemon may read such a request differently, and take for its body what we take for
// another request (RFC 9112, section 11.2). A [Conn] refuses it with the daemon's own
// error and ends the connection; it looks at no byte after that.
//
// It imports the standard library and the vocabulary in store/provider.
package framing
