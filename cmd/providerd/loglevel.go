package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/providerd/providerd/daemon/config"
)

// A levelFlag is the value of --log-level; empty means not given.
type levelFlag string

func (l *levelFlag) String() string { return string(*l) }

// Type is the list of values.
func (l *levelFlag) Type() string { return strings.Join(config.LogLevels(), "|") }

// Set accepts one of them.
func (l *levelFlag) Set(text string) error {
	if !slices.Contains(config.LogLevels(), text) {
		return errors.New("no such level")
	}
	*l = levelFlag(text)
	return nil
}
