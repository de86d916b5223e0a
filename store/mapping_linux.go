package store

import (
	"os"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// unmap releases the memory into which a transaction's file is mapped. bbolt reads
// pages through the mapping, and every page that it touched counts as this process's
// memory: after the first commits, the whole file. The pages stay in the system's
// cache, so that touching one again costs less than a microsecond.
//
// The mapping cannot move while the transaction is open. An error does no harm.
func unmap(db *bolt.DB, tx *bolt.Tx) {
	size := uintptr(tx.Size()) &^ uintptr(os.Getpagesize()-1)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, db.Info().Data, size, unix.MADV_DONTNEED)
}
