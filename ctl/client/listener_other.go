//go:build unix && !linux && !darwin

package client

// credentials has nothing to ask here: the folder decides.
func credentials(int) listener { return listener{} }
