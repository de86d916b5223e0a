package ctl

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/providerd/providerd/store/provider"
)

// keptLines is how many lines of its log a daemon keeps.
const keptLines = 1000

// linesAfter returns the lines of the log after the last one seen, or all of them if it is
// not there. A follower who has seen none has been waiting since then.
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

// An overlap skips the lines of a log up to a known one.
type overlap struct {
	until []byte // nil: there is none, or it has been found
	held  [][]byte
}

// pass takes the next line, and returns the lines that are new. If the known line is not
// among as many as a daemon keeps, it is gone and all of them are new.
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
