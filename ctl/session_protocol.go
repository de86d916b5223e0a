package ctl

import "io"

// Stdin is the standard input.
func (s *Session) Stdin() io.Reader { return s.app.Stdin }

// Bytes is the standard output as it is, for a protocol.
func (s *Session) Bytes() io.Writer { return s.app.bytes }

// Version is that of the program.
func (s *Session) Version() string { return s.app.version() }
