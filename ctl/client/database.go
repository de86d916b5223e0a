package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The parts of a bbolt file that show that it is one, and complete. providerctl does not
// link bbolt; the layout is that of version 2, in the byte order of the machine. Source:
// internal/common/page.go and meta.go of go.etcd.io/bbolt.
const (
	pageHeader  = 16 // id 8, flags 2, count 2, overflow 4
	metaSize    = 64 // after a page header
	elementSize = 16 // flags 4, pos 4, ksize 4, vsize 4

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	leafFlag    = 0x02

	leastPage = 512
	mostPage  = 64 << 10
	mostSpare = 64 << 20 // after the last page in use: bbolt grows a file by up to 16 MiB at a time
)

// buckets are those that every database of providerd has.
var buckets = []string{"meta", "rows", "events"}

// A boltMeta is one of the two meta pages at the beginning of a file. Commits write them
// in turn.
type boltMeta struct {
	pageSize    int64
	root, pages uint64 // where the root bucket is, and how many pages are in use
	txid        uint64
}

// readMeta reads the meta page at the beginning of p.
func readMeta(p []byte) (m boltMeta, err error) {
	if len(p) < pageHeader+metaSize {
		return m, errors.New("it ends within its first pages")
	}
	p = p[pageHeader : pageHeader+metaSize]
	order := binary.NativeEndian
	m.pageSize = int64(order.Uint32(p[8:]))
	m.root, m.pages, m.txid = order.Uint64(p[16:]), order.Uint64(p[40:]), order.Uint64(p[48:])
	switch {
	case order.Uint32(p) != boltMagic:
		return m, errors.New("it is not a bbolt file")
	case order.Uint32(p[4:]) != boltVersion:
		return m, fmt.Errorf("it is a bbolt file of version %d, not %d", order.Uint32(p[4:]), boltVersion)
	case order.Uint64(p[56:]) != fnv1a(p[:56]):
		return m, errors.New("the checksum of its first pages is wrong")
	case m.pageSize < leastPage || m.pageSize > mostPage || m.pageSize&(m.pageSize-1) != 0:
		return m, fmt.Errorf("it has pages of %d bytes", m.pageSize)
	}
	return m, nil
}

// fnv1a is the 64-bit hash by Fowler, Noll and Vo.
func fnv1a(p []byte) uint64 {
	sum := uint64(14695981039346656037)
	for _, c := range p {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return sum
}

// A databaseCheck checks a database while it is copied, and keeps only the page with the
// names of its buckets.
type databaseCheck struct {
	meta boltMeta
	root []byte // what has come of it
	at   int64  // how many bytes have passed
}

// begin checks the beginning of a file of that size. p has both meta pages, if the file
// does.
func (c *databaseCheck) begin(p []byte, size int64) error {
	first, err := readMeta(p)
	if err != nil {
		return err
	}
	second, err := readMeta(p[min(int64(len(p)), first.pageSize):])
	if err != nil {
		return err
	}
	c.meta = first
	if second.txid > first.txid {
		c.meta = second
	}
	most := uint64(size / first.pageSize)
	switch {
	case second.pageSize != first.pageSize:
		return errors.New("its first pages contradict each other")
	case c.meta.pages > most, most-c.meta.pages > uint64(mostSpare/first.pageSize):
		return fmt.Errorf("it has %d bytes, and should have %d pages of %d", size, c.meta.pages, c.meta.pageSize)
	case c.meta.root < 2 || c.meta.root >= c.meta.pages:
		return errors.New("its root is outside")
	}
	return nil
}

// pass takes the next bytes.
func (c *databaseCheck) pass(p []byte) {
	start := int64(c.meta.root)*c.meta.pageSize + int64(len(c.root)) // of the missing part
	if end := c.at + int64(len(p)); c.at <= start && start < end && int64(len(c.root)) < c.meta.pageSize {
		c.root = append(c.root, p[start-c.at:min(int64(len(p)), start-c.at+c.meta.pageSize-int64(len(c.root)))]...)
	}
	c.at += int64(len(p))
}

// end checks that the buckets are there.
func (c *databaseCheck) end() error {
	if len(c.root) < pageHeader {
		return errors.New("it ends before its root")
	}
	order := binary.NativeEndian
	count := int(order.Uint16(c.root[10:]))
	if order.Uint64(c.root) != c.meta.root || order.Uint16(c.root[8:]) != leafFlag || pageHeader+count*elementSize > len(c.root) {
		return errors.New("its root is damaged")
	}
	for _, name := range buckets {
		if !hasKey(c.root, count, []byte(name)) {
			return fmt.Errorf("it is not a database of providerd: it has no bucket %s", name)
		}
	}
	return nil
}

// hasKey reports whether a leaf page has a key.
func hasKey(page []byte, count int, name []byte) bool {
	for i := range count {
		at := pageHeader + i*elementSize
		element := page[at : at+elementSize]
		start := int64(at) + int64(binary.NativeEndian.Uint32(element[4:]))
		end := start + int64(binary.NativeEndian.Uint32(element[8:]))
		if end <= int64(len(page)) && bytes.Equal(page[start:end], name) {
			return true
		}
	}
	return false
}
