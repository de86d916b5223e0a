package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
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

// maxRun is the maximum size in bytes of a page with its overflow pages. It is far more
// than a row needs, and more than the list of free pages of a file of 8 GiB.
const maxRun = 16 << 20

// An image is a bbolt file as one of its meta pages describes it. It is read page by
// page with plain reads, for which a truncated file or a failing disk gives an error.
// Only the pages from the root down to the current one are in memory.
type image struct {
	r        io.ReaderAt
	size     uint64 // of the file
	pageSize uint64
	root     uint64
	freelist uint64
	end      uint64 // the first page beyond those in use
	txid     uint64
	seen     pageSet
}

// images returns an image for each intact meta page, the newest first.
func images(r io.ReaderAt, size int64) []*image {
	var found []*image
	try := func(at uint64) {
		if im := readMeta(r, at); im != nil && (at == 0 || at == im.pageSize) {
			im.size = uint64(size)
			found = append(found, im)
		}
	}
	try(0)
	// The second meta page follows the first, and page sizes are powers of two.
	for at := uint64(1 << 10); at <= 1<<24 && at < uint64(size); at <<= 1 {
		try(at)
	}
	slices.SortStableFunc(found, func(a, b *image) int { return cmp.Compare(b.txid, a.txid) })
	return found
}

// metasOf returns the transactions of the intact meta pages of an open file.
func metasOf(file *os.File) []uint64 {
	var whole []uint64
	for _, im := range images(file, sizeOf(file)) {
		whole = append(whole, im.txid)
	}
	return whole
}

func readMeta(r io.ReaderAt, at uint64) *image {
	meta := make([]byte, metaSize)
	if _, err := r.ReadAt(meta, int64(at+pageHeader)); err != nil {
		return nil
	}
	order := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(meta[:metaSize-8])
	pageSize := order.Uint32(meta[8:])
	if order.Uint32(meta) != boltMagic || order.Uint32(meta[4:]) != boltVersion ||
		order.Uint64(meta[metaSize-8:]) != sum.Sum64() || pageSize < 1<<10 || pageSize > maxRun {
		return nil
	}
	return &image{
		r:        r,
		pageSize: uint64(pageSize),
		root:     order.Uint64(meta[16:]),
		freelist: order.Uint64(meta[32:]),
		end:      order.Uint64(meta[40:]),
		txid:     order.Uint64(meta[48:]),
		seen:     pageSet{},
	}
}

// claim marks a page as used; a page may be used only once.
func (im *image) claim(id uint64) error {
	if id < 2 || id >= im.end {
		return fmt.Errorf("page %d does not exist", id)
	}
	if !im.seen.add(id) {
		return fmt.Errorf("page %d is used twice", id)
	}
	return nil
}

// page claims a page and its overflow pages, and returns their bytes.
func (im *image) page(id uint64) ([]byte, error) {
	if err := im.claim(id); err != nil {
		return nil, err
	}
	page, err := im.read(id)
	if err != nil {
		return nil, err
	}
	for next := id + 1; next < id+uint64(len(page))/im.pageSize; next++ {
		if err := im.claim(next); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// read returns the bytes of a page and its overflow pages.
func (im *image) read(id uint64) ([]byte, error) {
	page := make([]byte, im.pageSize)
	if id > im.size/im.pageSize {
		return nil, fmt.Errorf("page %d is beyond the end of the file", id)
	}
	at := int64(id * im.pageSize)
	if _, err := im.r.ReadAt(page, at); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	if own := binary.NativeEndian.Uint64(page); own != id {
		return nil, fmt.Errorf("page %d claims to be page %d", id, own)
	}
	more := uint64(binary.NativeEndian.Uint32(page[12:]))
	if more == 0 {
		return page, nil
	}
	run := (more + 1) * im.pageSize
	if run > maxRun || id+more >= im.end {
		return nil, fmt.Errorf("page %d claims %d overflow pages", id, more)
	}
	page = append(page, make([]byte, run-im.pageSize)...)
	if _, err := im.r.ReadAt(page[im.pageSize:], at+int64(im.pageSize)); err != nil {
		return nil, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	return page, nil
}

// An element is an entry of a leaf page: a value or a bucket.
type element struct {
	key, value []byte
	bucket     bool
}

// elements returns the elements of a leaf page.
func elements(page []byte) ([]element, error) {
	found := make([]element, binary.NativeEndian.Uint16(page[10:]))
	for i := range found {
		raw, at, err := elementAt(page, i)
		if err != nil {
			return nil, err
		}
		order := binary.NativeEndian
		pos, ksize, vsize := order.Uint32(raw[4:]), order.Uint32(raw[8:]), order.Uint32(raw[12:])
		e := &found[i]
		if e.key, err = span(page, at, pos, ksize); err != nil {
			return nil, err
		}
		if e.value, err = span(page, at+uint64(pos), ksize, vsize); err != nil {
			return nil, err
		}
		switch flags := order.Uint32(raw); flags {
		case 0:
		case bucketFlag:
			e.bucket = true
		default:
			return nil, fmt.Errorf("an element of unknown type (%#x)", flags)
		}
	}
	return found, nil
}

// children returns the pages below a branch page, and the first key of each.
func children(page []byte) (keys [][]byte, ids []uint64, err error) {
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if count == 0 {
		return nil, nil, errors.New("a branch page without children")
	}
	keys, ids = make([][]byte, count, count+1), make([]uint64, count)
	for i := range count {
		raw, at, err := elementAt(page, i)
		if err != nil {
			return nil, nil, err
		}
		pos, size := binary.NativeEndian.Uint32(raw), binary.NativeEndian.Uint32(raw[4:])
		if keys[i], err = span(page, at, pos, size); err != nil {
			return nil, nil, err
		}
		ids[i] = binary.NativeEndian.Uint64(raw[8:])
	}
	return keys, ids, nil
}

// inline returns the page of an inline bucket, which follows the bucket's header, or the
// root page's number of any other bucket.
func inline(value []byte) (root uint64, page []byte, err error) {
	if len(value) < bucketHeader {
		return 0, nil, errors.New("its header is truncated")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return root, nil, nil
	}
	page = value[bucketHeader:]
	if len(page) < pageHeader || flagsOf(page) != leafFlag {
		return 0, nil, errors.New("its page is not a leaf page")
	}
	return 0, page, nil
}

func flagsOf(page []byte) uint16 { return binary.NativeEndian.Uint16(page[8:]) }

// elementAt returns the i-th element of a page, and its offset in the page.
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
	return page[from:to:to], nil
}

// A pageSet is a set of pages. Its size depends only on what is in it, as a file can
// claim any number of pages.
type pageSet map[uint64]uint64

// add adds a page, and reports whether it was not in the set.
func (s pageSet) add(id uint64) bool {
	word, bit := s[id/64], uint64(1)<<(id%64)
	s[id/64] = word | bit
	return word&bit == 0
}

func (s pageSet) has(id uint64) bool { return s[id/64]&(1<<(id%64)) != 0 }

func (s pageSet) sizeOf() (n uint64) {
	for _, word := range s {
		for ; word != 0; word &= word - 1 {
			n++
		}
	}
	return n
}
