package ctl

import (
	"slices"
	"strings"

	"github.com/providerd/providerd/ctl/command"
	"github.com/providerd/providerd/store/provider"
)

// A list is the value of a flag that takes several words, separated by commas or in
// several flags.
type list struct {
	values  []string
	allowed []string                          // empty: any
	fold    func(word string) (string, error) // normalizes a word; nil: as it is
}

func (l *list) String() string { return strings.Join(l.values, ",") }
func (l *list) Type() string   { return "list" }

// Set adds to the list.
func (l *list) Set(text string) error {
	var more []string
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if l.fold != nil {
			var err error
			if word, err = l.fold(word); err != nil {
				return err
			}
		}
		if word == "" || len(l.allowed) > 0 && !slices.Contains(l.allowed, word) {
			return usage("", "use one of: %s", strings.Join(l.allowed, ", "))
		}
		more = append(more, word)
	}
	l.values = append(l.values, more...)
	return nil
}

// takes reports whether a value is in the list; an empty list takes any.
func (l *list) takes(value string) bool {
	return len(l.values) == 0 || slices.Contains(l.values, value)
}

// instead is the hint if nothing has one of the values: one that is similar among those
// that there are, or all of these.
func (l *list) instead(flag string, there []string) string {
	hint := "there are: " + strings.Join(there, ", ")
	for _, value := range l.values {
		hint = provider.DidYouMean(value, there, flag+" ", hint)
	}
	return hint
}

// complete offers the words that the list does not have yet.
func (l *list) complete(_ *command.Command, _ []string, typed string) ([]string, command.Directive) {
	return offerList(l.allowed, typed), command.NoFiles
}

// offerList offers the words that a list with commas does not have yet.
func offerList(words []string, typed string) (lists []string) {
	named := typed[:strings.LastIndexByte(typed, ',')+1]
	for _, word := range words {
		if !slices.Contains(strings.Split(named, ","), word) {
			lists = append(lists, named+word)
		}
	}
	return lists
}

// foldState reads a state in either case, and by the names of older tools.
func foldState(word string) (string, error) {
	s, err := provider.ParseState(word)
	return string(s), err
}
