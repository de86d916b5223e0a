//go:build !linux && !darwin

package control

// credentials has nothing to ask here: whoever the socket's mode and folder let
// in may do everything.
func credentials(int) peer { return peer{untold: true} }
