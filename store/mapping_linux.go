package store

import (
	"os"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// unmap gives back the memory in which a transaction's file is mapped. bbolt reads
// pages through the mapping, and each stays in this process's memory once it was
// touched: after the first commits, the whole file. The file's pages stay in the
// system's cache, so that touching one again costs less than a microsecond.
//
// The mapping is where it is for as long as the transaction is open, so that nothing
// else can be meant. What is not given back is not missed.
func unmap(db *bolt.DB, tx *bolt.Tx) {
	size := uintptr(tx.Size()) &^ uintptr(os.Getpagesize()-1)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, db.Info().Data, size, unix.MADV_DONTNEED)
}
