package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
)

// The layout of a bbolt file, version 2, in the byte order of the machine. Source:
// internal/common of go.etcd.io/bbolt v1.5.0 (page.go, meta.go, bucket.go).
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeader   = 16 // id uint64, flags uint16, count uint16, overflow uint32
	elementSize  = 16 // of a branch: pos, ksize uint32, pgid uint64; of a leaf: flags, pos, ksize, vsize uint32
	bucketHeader = 16 // root uint64, sequence uint64
	metaSize     = 64 // the last 8 bytes are the checksum of those before

	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10
	bucketFlag   = 0x01 // of a leaf's element

	noFreelist = ^uint64(0)
)

// An image is a whole bbolt file in memory, being verified.
type image struct {
	data     []byte
	pageSize uint64
	root     uint64
	freelist uint64
	end      uint64 // the first page that is not in use
	seen     []bool // by page
}

// verify reports, as a [corruptError], whether bbolt could come to harm on the
// file: each page is in bounds, what it says it is, and in use exactly once, or
// free; keys are in order.
//
// bbolt has a check of its own, which trusts the pages that it walks: given a
// damaged one it may run out of memory, never return, or fault in a goroutine
// where nobody can recover. This one trusts nothing, and so comes first.
func verify(data []byte) error {
	im, err := newImage(data)
	if err == nil {
		err = im.verify()
	}
	if err != nil {
		return &corruptError{err}
	}
	return nil
}

// newImage reads the newer of the two meta pages that are whole.
func newImage(data []byte) (*image, error) {
	if len(data) == 0 {
		return nil, errors.New("the file is empty")
	}
	var newest *image
	var txid uint64
	try := func(at uint64) {
		if im, id := readMeta(data, at); im != nil && (newest == nil || id > txid) {
			newest, txid = im, id
		}
	}
	try(0)
	// The second is one page on, and a page's size is a power of two.
	for size := uint64(1 << 10); size <= 1<<24; size <<= 1 {
		try(size)
	}
	if newest == nil {
		return nil, errors.New("no whole meta page: it is not a database, or its head is damaged")
	}
	if newest.end > uint64(len(data))/newest.pageSize {
		return nil, fmt.Errorf("cut short: %d pages of %d bytes are in use, and the file has %d bytes",
			newest.end, newest.pageSize, len(data))
	}
	newest.seen = make([]bool, newest.end)
	return newest, nil
}

func readMeta(data []byte, at uint64) (*image, uint64) {
	at += pageHeader
	if at+metaSize > uint64(len(data)) {
		return nil, 0
	}
	meta := data[at : at+metaSize]
	order := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(meta[:metaSize-8])
	pageSize := order.Uint32(meta[8:])
	if order.Uint32(meta) != boltMagic || order.Uint32(meta[4:]) != boltVersion ||
		order.Uint64(meta[metaSize-8:]) != sum.Sum64() || pageSize < 1<<10 {
		return nil, 0
	}
	return &image{
		data:     data,
		pageSize: uint64(pageSize),
		root:     order.Uint64(meta[16:]),
		freelist: order.Uint64(meta[32:]),
		end:      order.Uint64(meta[40:]),
	}, order.Uint64(meta[48:])
}

func (im *image) verify() error {
	if err := im.tree(im.root, nil, nil); err != nil {
		return err
	}
	if im.freelist == noFreelist {
		return nil // bbolt scans for them, on pages that are now known to be sound
	}
	if err := im.free(); err != nil {
		return err
	}
	for id := uint64(2); id < im.end; id++ {
		if !im.seen[id] {
			return fmt.Errorf("page %d is neither in use nor free", id)
		}
	}
	return nil
}

// claim marks a page as in use: each may be once.
func (im *image) claim(id uint64) error {
	if id < 2 || id >= im.end {
		return fmt.Errorf("page %d does not exist", id)
	}
	if im.seen[id] {
		return fmt.Errorf("page %d is used twice", id)
	}
	im.seen[id] = true
	return nil
}

// page returns the bytes of a page and of those that it overflows into.
func (im *image) page(id uint64) ([]byte, error) {
	if err := im.claim(id); err != nil {
		return nil, err
	}
	page := im.data[id*im.pageSize:]
	if own := binary.NativeEndian.Uint64(page); own != id {
		return nil, fmt.Errorf("page %d says that it is page %d", id, own)
	}
	last := id + uint64(binary.NativeEndian.Uint32(page[12:]))
	for next := id + 1; next <= last; next++ {
		if err := im.claim(next); err != nil {
			return nil, err
		}
	}
	return im.data[id*im.pageSize : (last+1)*im.pageSize], nil
}

// tree verifies the pages from id down; their keys are at least low and, unless
// high is nil, below it.
func (im *image) tree(id uint64, low, high []byte) error {
	page, err := im.page(id)
	if err != nil {
		return err
	}
	switch flags := binary.NativeEndian.Uint16(page[8:]); flags {
	case leafFlag:
		err = im.leaf(page, low, high)
	case branchFlag:
		err = im.branch(page, low, high)
	default:
		err = fmt.Errorf("it is of no known type (%#x)", flags)
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

func (im *image) branch(page, low, high []byte) error {
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if count == 0 {
		return errors.New("a branch without leaves")
	}
	keys := make([][]byte, count, count+1)
	children := make([]uint64, count)
	for i := range count {
		element, at, err := elementAt(page, i)
		if err != nil {
			return err
		}
		pos, size := binary.NativeEndian.Uint32(element), binary.NativeEndian.Uint32(element[4:])
		if keys[i], err = span(page, at, pos, size); err != nil {
			return err
		}
		children[i] = binary.NativeEndian.Uint64(element[8:])
	}
	if err := inOrder(keys, low, high); err != nil {
		return err
	}
	keys = append(keys, high)
	for i, child := range children {
		if err := im.tree(child, keys[i], keys[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (im *image) leaf(page, low, high []byte) error {
	keys := make([][]byte, binary.NativeEndian.Uint16(page[10:]))
	for i := range keys {
		element, at, err := elementAt(page, i)
		if err != nil {
			return err
		}
		order := binary.NativeEndian
		pos, ksize, vsize := order.Uint32(element[4:]), order.Uint32(element[8:]), order.Uint32(element[12:])
		if keys[i], err = span(page, at, pos, ksize); err != nil {
			return err
		}
		value, err := span(page, at+uint64(pos), ksize, vsize)
		if err != nil {
			return err
		}
		switch flags := order.Uint32(element); flags {
		case 0:
		case bucketFlag:
			if err := im.bucket(value); err != nil {
				return fmt.Errorf("bucket %q: %w", keys[i], err)
			}
		default:
			return fmt.Errorf("an element of no known type (%#x)", flags)
		}
	}
	return inOrder(keys, low, high)
}

// bucket verifies a bucket, whose only page follows its header when it has no
// root of its own.
func (im *image) bucket(value []byte) error {
	if len(value) < bucketHeader {
		return errors.New("its header is cut short")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return im.tree(root, nil, nil)
	}
	page := value[bucketHeader:]
	if len(page) < pageHeader || binary.NativeEndian.Uint16(page[8:]) != leafFlag {
		return errors.New("its page is not a leaf")
	}
	return im.leaf(page, nil, nil)
}

func (im *image) free() error {
	page, err := im.page(im.freelist)
	if err != nil {
		return fmt.Errorf("the list of free pages: %w", err)
	}
	if flags := binary.NativeEndian.Uint16(page[8:]); flags != freelistFlag {
		return fmt.Errorf("page %d is not a list of free pages (%#x)", im.freelist, flags)
	}
	count, ids := uint64(binary.NativeEndian.Uint16(page[10:])), page[pageHeader:]
	if count == 0xFFFF { // too many for the header: the first entry is their number
		count, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return fmt.Errorf("the list of free pages is cut short: %d in %d bytes", count, len(ids))
	}
	for i := range count {
		if err := im.claim(binary.NativeEndian.Uint64(ids[i*8:])); err != nil {
			return fmt.Errorf("the list of free pages: %w", err)
		}
	}
	return nil
}

// elementAt returns the i-th element of a page, and where in the page it is.
func elementAt(page []byte, i int) ([]byte, uint64, error) {
	at := pageHeader + uint64(i)*elementSize
	if at+elementSize > uint64(len(page)) {
		return nil, 0, fmt.Errorf("element %d is out of bounds", i)
	}
	return page[at : at+elementSize], at, nil
}

func span(page []byte, at uint64, pos, size uint32) ([]byte, error) {
	from := at + uint64(pos)
	to := from + uint64(size)
	if to > uint64(len(page)) {
		return nil, fmt.Errorf("bytes %d to %d are out of bounds", from, to)
	}
	return page[from:to], nil
}

func inOrder(keys [][]byte, low, high []byte) error {
	for i, key := range keys {
		if i == 0 && bytes.Compare(key, low) < 0 ||
			i > 0 && bytes.Compare(key, keys[i-1]) <= 0 ||
			high != nil && bytes.Compare(key, high) >= 0 {
			return fmt.Errorf("key %d is out of order", i)
		}
	}
	return nil
}
