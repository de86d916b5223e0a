package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/providerd/providerd/store/provider"
)

const (
	// heartbeat is how often the daemon writes to a stream that is idle.
	heartbeat = 15 * time.Second

	// maxLine bounds one line of a stream.
	maxLine = 1 << 20
)

// Stream yields the data lines of the NDJSON at path, each valid until the next. Notes,
// which are not data, go to note unless it is nil. The sequence ends after a complete
// stream, or with an error. An end that the daemon announces before the stream is complete
// is an error, shutting_down or too_many, and so is a gap if note is nil, events_gone.
func (c *Client) Stream(ctx context.Context, path string, note func(provider.StreamNote)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		rep, err := c.send(ctx, Request{Path: path})
		if err != nil {
			yield(nil, err)
			return
		}
		defer rep.close()
		if err := rep.mustStream(ctx); err != nil {
			yield(nil, err)
			return
		}
		rep.patience = c.timeout() + heartbeat
		for line, err := range rep.lines() {
			if err != nil {
				yield(nil, rep.explain(ctx, err))
				return
			}
			switch n, isNote := asNote(line); {
			case !isNote:
				if !yield(line, nil) {
					return
				}
			default:
				if note != nil {
					note(n)
				}
				if err := endError(n, note != nil); err != nil {
					yield(nil, err)
					return
				}
			}
		}
	}
}

// mustStream returns the error that came instead of a stream.
func (r *reply) mustStream(ctx context.Context) error {
	if r.status/100 == 2 && r.stream {
		return nil
	}
	body, err := r.readAll(maxLine)
	if err == nil {
		err = replyError(r.head, body)
		if err != nil {
			return err
		}
		err = protocolError("a reply that is not a stream")
	}
	return r.explain(ctx, err)
}

// lines yields each line without its newline.
func (r *reply) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(make([]byte, 0, 4096), maxLine)
		for {
			r.extend(0)
			if !scanner.Scan() {
				break
			}
			if len(scanner.Bytes()) > 0 && !yield(scanner.Bytes(), nil) {
				return
			}
		}
		err := scanner.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = protocolError("a line longer than %d bytes", maxLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			yield(nil, err)
		}
	}
}

// asNote reads a line that is not data, which alone has a type.
func asNote(line []byte) (provider.StreamNote, bool) {
	var note provider.StreamNote
	err := json.Unmarshal(line, &note)
	return note, err == nil && note.Type != ""
}

// endError is the error for an announced end, or for a gap without a note function.
func endError(note provider.StreamNote, heard bool) error {
	switch {
	case note.Type == provider.NoteGap && !heard:
		return provider.Errorf(provider.EventsGone, fmt.Sprintf("continue after them: since=%d", note.Seq),
			"%s: gone, because the daemon's database was damaged", note.Gap())
	case note.Type != provider.NoteEnd:
		return nil
	}
	switch note.Reason {
	case "shutting_down":
		return provider.Errorf(provider.ShuttingDownNow, "", "the daemon is shutting down")
	case "slow_reader":
		return provider.Errorf(provider.TooMany, "read faster, or follow again from where it ended",
			"the daemon ended the stream: it was read too slowly")
	case "store_failing":
		return provider.Errorf(provider.StoreFailing, "see: providerctl health", "the daemon cannot read its events")
	default:
		return provider.Errorf(provider.Internal, "see: providerctl logs", "the daemon ended the stream: %s", note.Reason)
	}
}

// decoded decodes each line of a stream as a T.
func decoded[T any](lines iter.Seq2[[]byte, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for line, err := range lines {
			var v T
			if err == nil {
				if bad := json.Unmarshal(line, &v); bad != nil {
					err = provider.Errorf(provider.Internal, "daemon and client may have different versions",
						"reading a line of the stream: %v", bad)
				}
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}
