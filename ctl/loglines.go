package ctl

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// keptLines is how many lines of its log a daemon keeps at most.
const keptLines = 1000

// linesAfter returns those of the log that are news to whoever has seen the last one: what
// comes after it, or everything where it is not there. Who has seen none has been waiting
// since then.
func linesAfter(kept [][]byte, last []byte, since time.Time) [][]byte {
	if last == nil {
		i := slices.IndexFunc(kept, func(line []byte) bool {
			var l provider.LogLine
			return json.Unmarshal(line, &l) != nil || !l.Time.Before(since.Truncate(time.Millisecond))
		})
		if i < 0 {
			return nil
		}
		return kept[i:]
	}
	for i := len(kept) - 1; i >= 0; i-- {
		if bytes.Equal(kept[i], last) {
			return kept[i+1:]
		}
	}
	return kept
}

// An overlap passes over the lines of a log up to one that is known.
type overlap struct {
	until []byte // nil: there is none, or it has come
	held  [][]byte
}

// pass takes the next line, and returns what is news. A line that does not come among as
// many as a daemon keeps is no longer there, and all of them are.
func (o *overlap) pass(line []byte) (news [][]byte) {
	switch {
	case o.until == nil:
		return [][]byte{line}
	case bytes.Equal(line, o.until):
		*o = overlap{}
		return nil
	}
	o.held = append(o.held, bytes.Clone(line))
	if len(o.held) < keptLines {
		return nil
	}
	news = o.held
	*o = overlap{}
	return news
}
