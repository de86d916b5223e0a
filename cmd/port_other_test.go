//go:build !unix

package cmd_test

// hold holds nothing here: nobody else is likely to ask for a port meanwhile.
func hold(string) (free func(), err error) { return func() {}, nil }
