package provider

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// maxNear is how many words are suggested at most.
const maxNear = 3

// DidYouMean is a hint for a word that is not known: the words that were probably meant,
// each with lead before it, or otherwise if there are none.
func DidYouMean(typed string, known []string, lead, otherwise string) string {
	near := Nearest(typed, known)
	if len(near) == 0 {
		return otherwise
	}
	return "did you mean: " + lead + strings.Join(near, ", "+lead)
}

// Nearest returns at most three known words that were probably meant by typed, the
// likeliest first: the one that differs only in case, - and _; else those with the fewest
// typing errors, within a third of their length, and those that begin with what was
// typed; else those that contain it.
func Nearest(typed string, known []string) []string {
	const most = 64 // nobody mistypes a word of this length into a known one
	typed = folded(typed)
	if typed == "" || len(typed) > most {
		return nil
	}
	var near []nearWord
	for _, word := range known {
		if how, far := compare(typed, folded(word)); how != unlike {
			near = append(near, nearWord{word, how, far})
		}
	}
	slices.SortStableFunc(near, func(a, b nearWord) int {
		return cmp.Or(cmp.Compare(a.how, b.how), cmp.Compare(a.far, b.far))
	})
	var words []string
	for _, w := range near {
		if len(words) < maxNear && w.besides(near[0]) && !slices.Contains(words, w.text) {
			words = append(words, w.text)
		}
	}
	return words
}

// A likeness is how a word resembles what was typed, the closest first.
type likeness int

const (
	same likeness = iota
	misspelt
	begun
	within
	unlike
)

type nearWord struct {
	text string
	how  likeness
	far  int // in typing errors
}

// besides reports whether w is worth naming beside best. What was mistyped can also be the
// beginning of another word.
func (w nearWord) besides(best nearWord) bool {
	return w.how == best.how && w.far == best.far || best.how == misspelt && w.how == begun
}

// compare is how a known word resembles what was typed.
func compare(typed, word string) (likeness, int) {
	const shortest = 3 // of what is looked for inside words
	bound := min(max(1, len(word)/3), len(typed)-1, len(word)-1)
	errors := bound + 1
	if longer := len(typed) - len(word); max(longer, -longer) <= bound {
		errors = TypingErrors(typed, word)
	}
	switch {
	case typed == word:
		return same, 0
	case errors <= bound:
		return misspelt, errors
	case strings.HasPrefix(word, typed):
		return begun, 0
	case len(typed) >= shortest && strings.Contains(word, typed):
		return within, 0
	}
	return unlike, 0
}

// folded is a word without the differences that people often overlook.
func folded(word string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return unicode.ToLower(r)
	}, word)
}

// TypingErrors counts those between a and b: a byte inserted, dropped, replaced, or
// swapped with its neighbour (optimal string alignment).
func TypingErrors(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
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
		before, last, row = last, row, before
	}
	return last[len(b)]
}
