package config

import (
	"strings"

	"github.com/providerd/providerd/store/provider"
)

// didYouMean names the known word that is closest to what was typed, or else lists them all.
func didYouMean(typed string, known []string) string {
	if near := provider.Nearest(typed, known); len(near) > 0 {
		return "did you mean " + near[0] + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}
