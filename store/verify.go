package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// verify reports, as a [corruptError], whether bbolt could come to harm on the
// file: each page is in bounds, what it says it is, and in use exactly once, or
// free; keys are in order. It returns how many bytes of the file are in use.
//
// bbolt has a check of its own, which trusts the pages that it walks: given a
// damaged one it may run out of memory, never return, or fault in a goroutine
// where nobody can recover. This one trusts nothing, and so comes first.
func verify(r io.ReaderAt, size int64) (used int64, err error) {
	im, err := newest(r, size)
	if err == nil {
		err = im.verify()
	}
	if err != nil {
		return 0, &corruptError{err}
	}
	return int64(im.end * im.pageSize), nil
}

// verifyFile verifies a file that is open.
func verifyFile(file *os.File) (used int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return verify(file, info.Size())
}

// newest is the file as the newer of its whole meta pages has it.
func newest(r io.ReaderAt, size int64) (*image, error) {
	if size == 0 {
		return nil, errors.New("the file is empty")
	}
	found := images(r, size)
	if len(found) == 0 {
		return nil, errors.New("no whole meta page: it is not a database, or its head is damaged")
	}
	im := found[0]
	if im.end > im.size/im.pageSize {
		return nil, fmt.Errorf("cut short: %d pages of %d bytes are in use, and the file has %d bytes",
			im.end, im.pageSize, size)
	}
	return im, nil
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
	if unused := im.end - 2 - im.seen.sizeOf(); unused != 0 {
		return fmt.Errorf("%d pages are neither in use nor free", unused)
	}
	return nil
}

// tree verifies the pages from id down. Unless low is nil, which it is for a root,
// their first key is low: bbolt finds a page's entry in the branch above by it, and
// would leave the entry there when it frees the page. Unless high is nil, their keys
// are below it.
func (im *image) tree(id uint64, low, high []byte) error {
	page, err := im.page(id)
	if err != nil {
		return err
	}
	switch flags := flagsOf(page); flags {
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
	keys, ids, err := children(page)
	if err != nil {
		return err
	}
	if err := inOrder(keys, low, high); err != nil {
		return err
	}
	keys = append(keys, high)
	for i, child := range ids {
		if err := im.tree(child, keys[i], keys[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (im *image) leaf(page, low, high []byte) error {
	found, err := elements(page)
	if err != nil {
		return err
	}
	for _, e := range found {
		if !e.bucket {
			continue
		}
		if err := im.bucket(e.value); err != nil {
			return fmt.Errorf("bucket %q: %w", e.key, err)
		}
	}
	return inOrder(keysOf(found), low, high)
}

// bucket verifies a bucket from its header on.
func (im *image) bucket(value []byte) error {
	root, page, err := inline(value)
	switch {
	case err != nil:
		return err
	case root != 0:
		return im.tree(root, nil, nil)
	}
	return im.leaf(page, nil, nil)
}

// free claims the pages that the list of free pages names.
func (im *image) free() error {
	page, err := im.page(im.freelist)
	if err != nil {
		return fmt.Errorf("the list of free pages: %w", err)
	}
	if flags := flagsOf(page); flags != freelistFlag {
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

func keysOf(found []element) [][]byte {
	keys := make([][]byte, len(found))
	for i, e := range found {
		keys[i] = e.key
	}
	return keys
}

func inOrder(keys [][]byte, low, high []byte) error {
	if low != nil && len(keys) == 0 {
		return errors.New("there is nothing on it")
	}
	for i, key := range keys {
		if i == 0 && low != nil && !bytes.Equal(key, low) ||
			i > 0 && bytes.Compare(key, keys[i-1]) <= 0 ||
			high != nil && bytes.Compare(key, high) >= 0 {
			return fmt.Errorf("key %d is out of order", i)
		}
	}
	return nil
}
