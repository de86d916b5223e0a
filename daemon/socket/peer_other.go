//go:build !linux && !darwin

package socket

// credentials has nothing to ask on this system: anyone whom the socket's mode and folder
// admit may do everything.
func credentials(int) Peer { return Peer{Untold: true} }
