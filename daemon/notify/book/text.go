package book

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	deflated   = 'z'      // the first byte of a deflated text
	deflateAt  = 32 << 10 // bytes; most books are smaller
	mostOfText = 64 << 20 // bytes of an inflated text
)

// Text is the book as it is saved: JSON, deflated if it is long. A thousand open episodes are a
// third of a megabyte, and compress well because they are alike.
func (b *Book) Text() ([]byte, error) {
	text, err := json.Marshal(b)
	if err != nil || len(text) < deflateAt {
		return text, err
	}
	var short bytes.Buffer
	short.WriteByte(deflated)
	w, err := flate.NewWriter(&short, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return short.Bytes(), nil
}

// Parse reads a saved book.
func Parse(text []byte) (*Book, error) {
	if len(text) > 0 && text[0] == deflated {
		var err error
		r := io.LimitReader(flate.NewReader(bytes.NewReader(text[1:])), mostOfText+1)
		if text, err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("inflate the saved book: %w", err)
		}
		if len(text) > mostOfText {
			return nil, errors.New("inflate the saved book: it is too long")
		}
	}
	b := new(Book)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("read the saved book: %w", err)
	}
	for _, m := range b.Outbox {
		m.Saved = m.ID
	}
	return b, nil
}
