package ctl

import (
	"testing"

	"github.com/rivo/uniseg"
)

// The widths that are counted quickly are those of the library.
func TestDisplayWidth(t *testing.T) {
	for _, s := range []string{"", "ollama", "▁▂ ▇█", "▁", "█x", "▀", "▉", "■", "▁\u0301", "é▁", "表▁", "▁表", "\xe2\x96", "\xe2\x96x", "▁\xe2", "…▁"} {
		if got, want := displayWidth(s), uniseg.StringWidth(s); got != want {
			t.Errorf("%q takes %d columns, not %d", s, want, got)
		}
	}
}
