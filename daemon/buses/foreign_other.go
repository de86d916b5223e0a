//go:build !linux

package buses

import "net"

// ForeignListener is for systemd's buses, which do not exist here.
func ForeignListener(net.Conn) string { return "" }
