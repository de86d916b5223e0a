//go:build !linux

package configfile

// keepAttributes: owner and mode are all that is kept here.
func keepAttributes(string, string) error { return nil }

// hasAccessList: only the mode is looked at here.
func hasAccessList(string) bool { return false }
