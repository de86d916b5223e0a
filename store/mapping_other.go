//go:build !linux

package store

import bolt "go.etcd.io/bbolt"

// unmap does nothing here.
func unmap(*bolt.DB, *bolt.Tx) {}
