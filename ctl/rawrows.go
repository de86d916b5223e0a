package ctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/providerd/providerd/store/provider"
)

// A statusBody is the daemon's reply, raw and decoded. When rows are left out or moved,
// fields unknown to this version are kept.
type statusBody struct {
	provider.StatusReply
	raw []byte
}

func readStatus(raw []byte) (*statusBody, error) {
	b := &statusBody{raw: raw}
	if err := json.Unmarshal(raw, &b.StatusReply); err != nil {
		return nil, fmt.Errorf("reading the status: %w", err)
	}
	return b, nil
}

// choose keeps the rows at the places, in that order, both raw and decoded.
func (b *statusBody) choose(places []int) error {
	rows := make([]provider.Status, len(places))
	for i, place := range places {
		rows[i] = b.Providers[place]
	}
	raw, err := chooseRows(b.raw, places)
	if err != nil {
		return fmt.Errorf("reading the status: %w", err)
	}
	b.Providers, b.raw = rows, raw
	return nil
}

// add puts rows after the others, both raw and decoded.
func (b *statusBody) add(rows []provider.Status) error {
	raw, err := editRows(b.raw, func(all []json.RawMessage) ([]json.RawMessage, error) {
		for i := range rows {
			text, err := json.Marshal(&rows[i])
			if err != nil {
				return nil, err
			}
			all = append(all, text)
		}
		return all, nil
	})
	if err != nil {
		return fmt.Errorf("reading the status: %w", err)
	}
	b.Providers, b.raw = append(b.Providers, rows...), raw
	return nil
}

// chooseRows replaces the providers of a raw status by those at the places, and copies
// everything else.
func chooseRows(raw []byte, places []int) ([]byte, error) {
	return editRows(raw, func(all []json.RawMessage) ([]json.RawMessage, error) {
		chosen := make([]json.RawMessage, len(places))
		for i, place := range places {
			if place >= len(all) { // there are two lists
				return nil, errors.New("its providers are not one list")
			}
			chosen[i] = all[place]
		}
		return chosen, nil
	})
}

// editRows replaces the providers of a raw status, and copies everything else.
func editRows(raw []byte, edit func([]json.RawMessage) ([]json.RawMessage, error)) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil { // the opening brace
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if name != "providers" {
			continue
		}
		var all []json.RawMessage
		if err := json.Unmarshal(value, &all); err != nil {
			return nil, err
		}
		rows, err := edit(all)
		if err != nil {
			return nil, err
		}
		texts := make([][]byte, len(rows))
		for i := range rows {
			texts[i] = rows[i]
		}
		end := int(d.InputOffset())
		list := append(append([]byte{'['}, bytes.Join(texts, []byte(","))...), ']')
		return bytes.Join([][]byte{raw[:end-len(value)], list, raw[end:]}, nil), nil
	}
	return raw, nil
}
