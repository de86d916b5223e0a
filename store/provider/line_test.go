package provider_test

import (
	"testing"

	"github.com/providerd/providerd/store/provider"
)

func TestOneLine(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		limit      int
		want       string
	}{
		{"AsItIs", "out of memory", 99, "out of memory"},
		{"LinesAndBlanks", "\r\n a\t\tb \n\n c  \n", 99, "a b c"},
		{"WhatMovesTheCursor", "a\x1b[2Jb\u202ec", 99, "a [2Jb c"},
		{"NotUTF8", "a\xffb", 99, "a b"},
		{"JustFits", "abcdef", 6, "abcdef"},
		{"IsCut", "abcdefg", 6, "abc…"},
		{"BetweenCharacters", "ab·defg", 6, "ab…"},
		{"Empty", " \n\x00", 6, ""},
	} {
		if got := provider.OneLine(tt.text, tt.limit); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
