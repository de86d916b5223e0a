package ctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/providerd/providerd/store/provider"
)

// A statusBody is the daemon's reply as it came and as it is read. A row that is left out
// or moved takes along the fields that this version does not know.
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

// choose makes the rows those at the places, in their order, in what is read and in
// what came.
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

// chooseRows replaces the providers of a status by those at the places, and copies
// everything else.
func chooseRows(raw []byte, places []int) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil { // the brace
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
		chosen := make([][]byte, len(places))
		for i, place := range places {
			if place >= len(all) { // there are two lists
				return nil, errors.New("its providers are not one list")
			}
			chosen[i] = all[place]
		}
		end := int(d.InputOffset())
		list := append(append([]byte{'['}, bytes.Join(chosen, []byte(","))...), ']')
		return bytes.Join([][]byte{raw[:end-len(value)], list, raw[end:]}, nil), nil
	}
	return raw, nil
}
