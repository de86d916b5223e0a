//go:build !linux && !darwin

package socket

// credentials has nothing to ask here: whoever the socket's mode and folder let
// in may do everything.
func credentials(int) Peer { return Peer{Untold: true} }
