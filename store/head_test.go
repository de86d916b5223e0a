package store

import (
	"fmt"
	"slices"
	"testing"
)

func TestHead_Outdated(t *testing.T) {
	for name, c := range map[string]struct {
		h     head
		txid  uint64
		metas []uint64
		want  bool
	}{
		"Well":                     {head{Commit: 9}, 9, []uint64{8, 9}, false},
		"WellInTheOtherOrder":      {head{Commit: 10}, 10, []uint64{10, 9}, false},
		"HeadOfAnOlderCommit":      {head{Commit: 7}, 9, []uint64{8, 9}, true},
		"HeadOfANewerCommit":       {head{Commit: 9}, 8, []uint64{8, 7}, true},
		"OneMetaPage":              {head{Commit: 8}, 8, []uint64{8}, true},
		"OneMetaPageAfterTheEnd":   {head{Commit: 8, Closed: true}, 8, []uint64{8}, false},
		"OneMetaPageOfACopy":       {head{Commit: 8, Copy: true}, 8, []uint64{8}, false},
		"MetaPageOlderThanTheLast": {head{Commit: 8}, 8, []uint64{5, 8}, true},
		"ClosedAndWrittenByOthers": {head{Commit: 8, Closed: true}, 9, []uint64{8, 9}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.h.outdated(c.txid, c.metas); (got != "") != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

// rowsOf are sealed rows by id.
func rowsOf(ids ...string) map[string][]byte {
	rows := map[string][]byte{}
	for _, id := range ids {
		rows[id] = seal(rowsBucket(), []byte(id), []byte("the row of "+id))
	}
	return rows
}

func TestRowSums_Doubt(t *testing.T) {
	all := rowsOf("a", "b", "c", "d")
	var sums rowSums
	for id, value := range all {
		sums.toggle([]byte(id), storedSum(value))
	}
	flip := func(value []byte, at int) []byte {
		value = slices.Clone(value)
		value[at] ^= 16
		return value
	}
	old := seal(rowsBucket(), []byte("a"), []byte("an older row of a"))
	for name, c := range map[string]struct {
		good, bad map[string][]byte
		doubted   string
		missing   bool
	}{
		"AllAreThere":     {good: all},
		"TextDamaged":     {good: rowsOf("b", "c", "d"), bad: map[string][]byte{"a": flip(all["a"], 9)}},
		"ChecksumDamaged": {good: rowsOf("b", "c", "d"), bad: map[string][]byte{"a": flip(all["a"], 2)}},
		"IDDamaged":       {good: rowsOf("b", "c", "d"), bad: map[string][]byte{"q": all["a"]}},
		"CutToNothing":    {good: rowsOf("b", "c", "d"), bad: map[string][]byte{"a": nil}, missing: true},
		"Missing":         {good: rowsOf("b", "c", "d"), missing: true},
		"Older":           {good: map[string][]byte{"a": old, "b": all["b"], "c": all["c"], "d": all["d"]}, doubted: "a"},
		"OneTooMany":      {good: rowsOf("a", "b", "c", "d", "e"), doubted: "e"},
	} {
		t.Run(name, func(t *testing.T) {
			doubted, missing := sums.doubt(c.good, c.bad)
			got := ""
			for _, id := range []string{"a", "b", "c", "d", "e"} {
				if _, ok := c.good[id]; ok && doubted(id) {
					got += id
				}
			}
			if got != c.doubted || missing != c.missing {
				t.Errorf("doubted %q, missing %v", got, missing)
			}
		})
	}
}

// A checksum includes the place: a moved value is damaged.
func TestUnseal_KnowsItsPlace(t *testing.T) {
	value := seal(eventsBucket(), seqKey(7), []byte("{}"))
	if _, err := unseal(eventsBucket(), seqKey(7), value); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"OtherKey":    second(unseal(eventsBucket(), seqKey(8), value)),
		"OtherBucket": second(unseal(rowsBucket(), seqKey(7), value)),
		"KeyGrows":    second(unseal(eventsBucket(), append(seqKey(7), '{'), append(slices.Clone(value[:sumSize]), '}'))),
		"Empty":       second(unseal(eventsBucket(), seqKey(7), nil)),
		"Zeroes":      second(unseal(eventsBucket(), seqKey(7), make([]byte, len(value)))),
	} {
		if err == nil {
			t.Errorf("%s: it passes", name)
		}
	}
}

func second(_ []byte, err error) error { return err }

// Two rows that change by the same bits are recognised as outdated, although a CRC alone
// cannot tell them from unchanged ones.
func TestRowSums_RowsThatChangeAlike(t *testing.T) {
	var ids []string // two of one length in one of the sums
	for i := 0; len(ids) < 2; i++ {
		if id := fmt.Sprintf("p%03d", i); len(ids) == 0 || sumOf([]byte(id)) == sumOf([]byte(ids[0])) {
			ids = append(ids, id)
		}
	}
	older, newer := map[string][]byte{}, map[string][]byte{}
	var sums rowSums
	for _, id := range ids {
		older[id] = seal(rowsBucket(), []byte(id), []byte(`{"id":"`+id+`","paused":0}`))
		newer[id] = seal(rowsBucket(), []byte(id), []byte(`{"id":"`+id+`","paused":1}`))
		sums.toggle([]byte(id), storedSum(newer[id]))
	}
	if doubted, missing := sums.doubt(newer, nil); doubted(ids[0]) || missing {
		t.Error("the newest rows are doubted")
	}
	if doubted, _ := sums.doubt(older, nil); !doubted(ids[0]) || !doubted(ids[1]) {
		t.Errorf("older rows of %v pass for the newest", ids)
	}
}
