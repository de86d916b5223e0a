package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/providerd/providerd/store/provider"
)

// sample is a bbolt file with everything that verify walks: branches, leaves,
// inline and nested buckets, values that overflow a page, and free pages.
func sample(t testing.TB, keys int, o *bolt.Options) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.db")
	db, err := bolt.Open(path, 0o600, o)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		err := db.Update(func(tx *bolt.Tx) error {
			wide, err := tx.CreateBucketIfNotExists([]byte("wide"))
			if err != nil {
				return err
			}
			for i := range keys {
				if err := wide.Put(fmt.Appendf(nil, "key %d", i*(round+1)), bytes.Repeat([]byte{'v'}, 40)); err != nil {
					return err
				}
			}
			if round == 2 {
				for i := range keys * 3 / 4 {
					if err := wide.Delete(fmt.Appendf(nil, "key %d", i)); err != nil {
						return err
					}
				}
			}
			nested, err := wide.CreateBucketIfNotExists([]byte("nested"))
			if err != nil {
				return err
			}
			return nested.Put([]byte("large"), make([]byte, 10_000))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVerify_AcceptsWhatBboltWrites(t *testing.T) {
	for name, o := range map[string]*bolt.Options{
		"Default":        {},
		"SmallPages":     {PageSize: 1024},
		"LargePages":     {PageSize: 65536},
		"NoFreelistSync": {NoFreelistSync: true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := verifyBytes(sample(t, 400, o)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerify_AcceptsOneDamagedMetaPage(t *testing.T) {
	for page := range 2 { // as a power cut leaves it, in the middle of a commit
		data := sample(t, 400, &bolt.Options{PageSize: 4096})
		clear(data[page*4096+pageHeader : page*4096+pageHeader+metaSize])
		if err := verifyBytes(data); err != nil {
			t.Errorf("without meta page %d: %v", page, err)
		}
	}
}

// Whichever bit flips in the head of a page or an element, verify must neither panic nor loop,
// and a page must not be mistaken for another.
func TestVerify_SurvivesAnyFlippedBit(t *testing.T) {
	const page = 1024
	whole := sample(t, 60, &bolt.Options{PageSize: page})
	inUse := reachable(t, whole)
	for at := 2 * page; at < len(inUse)*page; at++ {
		in := at % page
		if in >= pageHeader+2*elementSize {
			continue
		}
		data := bytes.Clone(whole)
		data[at] ^= 1 << (at % 8)
		if err := verifyBytes(data); err == nil && in < 8 && inUse[at/page] {
			t.Errorf("byte %d: page %d passes for another", at, at/page)
		}
	}
}

// reachable reports for each page whether it is the head of one in use.
func reachable(t testing.TB, data []byte) []bool {
	t.Helper()
	im, err := newest(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := im.tree(im.root, nil, nil); err != nil {
		t.Fatal(err)
	}
	inUse := make([]bool, im.end)
	for id := range inUse {
		own := binary.NativeEndian.Uint64(data[uint64(id)*im.pageSize:])
		inUse[id] = im.seen.has(uint64(id)) && own == uint64(id)
	}
	return inUse
}

func verifyBytes(data []byte) error {
	_, err := verify(bytes.NewReader(data), int64(len(data)))
	return err
}

func TestVerify_Refuses(t *testing.T) {
	const page = 4096
	order := binary.NativeEndian
	for name, damage := range map[string]func(data []byte, im *image) []byte{
		"Nothing":       func([]byte, *image) []byte { return nil },
		"BothMetaPages": func(data []byte, _ *image) []byte { clear(data[:2*page]); return data },
		"CutShort":      func(data []byte, im *image) []byte { return data[:im.end*page-1] },
		// A branch that points to itself: bbolt would walk it until memory ends.
		"Circle": func(data []byte, im *image) []byte {
			for id, inUse := range reachable(t, data) {
				if p := data[id*page:]; inUse && order.Uint16(p[8:]) == branchFlag {
					order.PutUint64(p[pageHeader+8:], uint64(id))
				}
			}
			return data
		},
		// A leaf whose first key is not the one that its branch has: bbolt would free
		// the page, and leave the branch leading to it.
		"FirstKeyOfALeaf": func(data []byte, _ *image) []byte {
			p := lastLeaf(t, data, page)
			at := pageHeader + order.Uint32(p[pageHeader+4:])
			p[at+order.Uint32(p[pageHeader+8:])-1]++ // its last byte
			return data
		},
		"EmptyLeaf": func(data []byte, _ *image) []byte {
			order.PutUint16(lastLeaf(t, data, page)[10:], 0)
			return data
		},
		// A page that claims to continue for 16 TiB: bbolt's check would count its pages.
		"EndlessPage": func(data []byte, im *image) []byte {
			order.PutUint32(data[im.freelist*page+12:], 1<<32-1)
			return data
		},
		// A page in use that counts as free: the next commit would overwrite it.
		"FreePageInUse": func(data []byte, im *image) []byte {
			order.PutUint64(data[im.freelist*page+pageHeader:], im.root)
			return data
		},
		"FreePageBeyondTheEnd": func(data []byte, im *image) []byte {
			order.PutUint64(data[im.freelist*page+pageHeader:], im.end+9)
			return data
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := sample(t, 400, &bolt.Options{PageSize: page})
			im, err := newest(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if err := verifyBytes(damage(data, im)); err == nil {
				t.Error("it passes")
			}
		})
	}
}

// lastLeaf is the leaf below a branch with the greatest keys.
func lastLeaf(t testing.TB, data []byte, page int) []byte {
	t.Helper()
	order := binary.NativeEndian
	for id, inUse := range reachable(t, data) {
		if p := data[id*page:]; inUse && order.Uint16(p[8:]) == branchFlag {
			last := pageHeader + (int(order.Uint16(p[10:]))-1)*elementSize
			return data[int(order.Uint64(p[last+8:]))*page:]
		}
	}
	t.Fatal("there is no branch")
	return nil
}

func FuzzVerify(f *testing.F) {
	f.Add(sample(f, 100, &bolt.Options{PageSize: 1024}))
	f.Fuzz(func(_ *testing.T, data []byte) { _ = verifyBytes(data) }) // must not panic
}

func FuzzSalvage(f *testing.F) {
	path := filepath.Join(f.TempDir(), "providerd.db")
	w := &whole{newest: 40, generation: 9}
	for i := range uint64(40) {
		w.events = append(w.events, provider.Event{Seq: i + 1, ID: "a", To: provider.StateRunning})
	}
	if err := create(path, w); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	used, err := verify(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:used])
	f.Fuzz(func(t *testing.T, data []byte) { // must neither panic nor go on for ever
		s := salvageFile(bytes.NewReader(data), int64(len(data)), 100, maxNumber+1)
		if len(s.events) > 100 || s.newest > maxNumber {
			t.Errorf("%d events, the newest %d", len(s.events), s.newest)
		}
	})
}
