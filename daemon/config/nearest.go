package config

import (
	"slices"
	"strings"
)

// didYouMean names the known word that is closest to what was typed, else lists
// them all.
func didYouMean(typed string, known []string) string {
	if word := nearest(typed, known); word != "" {
		return "did you mean " + word + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}

// nearest is the known word within a third of its length in typing errors, or
// one that contains what was typed (url, base_url); empty when there is none.
func nearest(typed string, known []string) string {
	typed = strings.ReplaceAll(strings.ToLower(typed), "-", "_")
	if len(typed) > 64 {
		return ""
	}
	best, bestDistance := "", 0
	for _, word := range known {
		d := distance(typed, strings.ReplaceAll(word, "-", "_"))
		if d <= max(1, len(word)/3) && (best == "" || d < bestDistance) {
			best, bestDistance = word, d
		}
	}
	if best != "" || len(typed) < 3 {
		return best
	}
	i := slices.IndexFunc(known, func(word string) bool { return strings.Contains(word, typed) })
	if i < 0 {
		return ""
	}
	return known[i]
}

// distance counts the typing errors between a and b: a byte inserted, dropped,
// replaced, or swapped with its neighbour (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
