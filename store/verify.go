package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// verify returns a [corruptError] if bbolt could fail on the file. In a sound file each
// page is in bounds, of the right type, and either free or used exactly once, and keys
// are in order. verify also returns how many bytes of the file are in use.
//
// bbolt's own check trusts the pages that it walks: on a damaged one it may run out of
// memory, never return, or fault in a goroutine where nobody can recover. This one
// trusts nothing, and so it comes first.
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

// verifyFile verifies an open file.
func verifyFile(file *os.File) (used int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return verify(file, info.Size())
}

// newest is the image of the newer intact meta page.
func newest(r io.ReaderAt, size int64) (*image, error) {
	if size == 0 {
		return nil, errors.New("the file is empty")
	}
	found := images(r, size)
	if len(found) == 0 {
		return nil, errors.New("no intact meta page: it is not a database, or its beginning is damaged")
	}
	im := found[0]
	if im.end > im.size/im.pageSize {
		return nil, fmt.Errorf("truncated: %d pages of %d bytes are in use, but the file has %d bytes",
			im.end, im.pageSize, size)
	}
	return im, nil
}

func (im *image) verify() error {
	if err := im.tree(im.root, nil, nil); err != nil {
		return err
	}
	if im.freelist == noFreelist {
		return nil // bbolt scans for free pages, and those it scans are now known to be sound
	}
	if err := im.free(); err != nil {
		return err
	}
	if unused := im.end - 2 - im.seen.sizeOf(); unused != 0 {
		return fmt.Errorf("%d pages are neither in use nor free", unused)
	}
	return nil
}

// tree verifies the pages from id down. Their first key must be low, unless low is nil,
// as for a root: bbolt finds a page's entry in its parent by that key, and would
// otherwise leave the entry there when it frees the page. Their keys must be below high,
// unless high is nil.
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
		err = fmt.Errorf("it is of unknown type (%#x)", flags)
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

// bucket verifies a bucket, starting with its header.
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

// free claims the pages in the list of free pages.
func (im *image) free() error {
	page, err := im.page(im.freelist)
	if err != nil {
		return fmt.Errorf("the list of free pages: %w", err)
	}
	if flags := flagsOf(page); flags != freelistFlag {
		return fmt.Errorf("page %d is no list of free pages (%#x)", im.freelist, flags)
	}
	count, ids := uint64(binary.NativeEndian.Uint16(page[10:])), page[pageHeader:]
	if count == 0xFFFF { // too many for the header: the first entry is their number
		count, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return fmt.Errorf("the list of free pages is truncated: %d in %d bytes", count, len(ids))
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
		return errors.New("it is empty")
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
