//go:build !linux

package client

func pidOf(conn) int { return 0 }
