//go:build !unix

package cmd_test

// hold does nothing here: no other program is likely to request a port meanwhile.
func hold(string) (free func(), err error) { return func() {}, nil }
