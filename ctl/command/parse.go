package command

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Flags are the flags of only c.
func (c *Command) Flags() *FlagSet { return &c.local }

// PersistentFlags are the flags of c and of all commands below it.
func (c *Command) PersistentFlags() *FlagSet { return &c.passed }

// Flag returns the flag with that name that c accepts: its own, or a persistent one of a
// command above. It is nil if there is none.
func (c *Command) Flag(name string) *Flag {
	return c.find(func(s *FlagSet) *Flag { return s.Lookup(name) })
}

func (c *Command) shorthand(letter byte) *Flag {
	return c.find(func(s *FlagSet) *Flag { return s.shorthand(letter) })
}

func (c *Command) find(in func(*FlagSet) *Flag) *Flag {
	f := in(&c.local)
	for ; f == nil && c != nil; c = c.parent {
		f = in(&c.passed)
	}
	return f
}

// OwnFlags are the flags that c defines, persistent or not, sorted by name.
func (c *Command) OwnFlags() []*Flag { return sorted(c.local.flags, c.passed.flags) }

// InheritedFlags are the persistent flags of the commands above, sorted by name.
func (c *Command) InheritedFlags() []*Flag {
	var flags []*Flag
	for above := c.parent; above != nil; above = above.parent {
		for _, f := range above.passed.flags {
			if c.Flag(f.Name) == f {
				flags = append(flags, f)
			}
		}
	}
	return sorted(flags)
}

// AllFlags are the flags that c accepts, sorted by name.
func (c *Command) AllFlags() []*Flag { return sorted(c.OwnFlags(), c.InheritedFlags()) }

func sorted(flags ...[]*Flag) []*Flag {
	return slices.SortedFunc(slices.Values(slices.Concat(flags...)), func(a, b *Flag) int { return cmp.Compare(a.Name, b.Name) })
}

// parse sets the flags among args and returns the other words. On an error it returns those
// before it. Flags and words may be mixed; after "--" all are words.
func (c *Command) parse(args []string) (words []string, err error) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		rest := args
		switch {
		case word == "--":
			c.dash = len(words) + 1
			return append(words, args...), nil
		case strings.HasPrefix(word, "--"):
			args, err = c.parseLong(word[2:], args)
		case len(word) > 1 && word[0] == '-':
			args, err = c.parseShort(word[1:], args)
		default:
			words = append(words, word)
		}
		if unknown := new(UnknownFlagError); errors.As(err, &unknown) {
			unknown.Amid = len(words) > 0 && !slices.Contains(rest, "--")
		}
		if err != nil {
			return words, err
		}
	}
	return words, nil
}

// parseLong sets the flag of a word without its dashes, "name" or "name=value". It returns
// what is left of the words that follow.
func (c *Command) parseLong(word string, rest []string) ([]string, error) {
	name, value, given := strings.Cut(word, "=")
	if name == "" || name[0] == '-' {
		return nil, &SyntaxError{Word: "--" + word}
	}
	f := c.Flag(name)
	switch {
	case f == nil:
		return nil, &UnknownFlagError{Name: name}
	case given:
	case f.alone():
		value = "true"
	case len(rest) == 0:
		return nil, &MissingValueError{Flag: f}
	default:
		value, rest = rest[0], rest[1:]
	}
	return rest, f.set(value)
}

// parseShort sets the flags of a word without its dash: "q", "qw", and with a value
// "ojson", "o=json", or "o" if the next word is the value.
func (c *Command) parseShort(letters string, rest []string) ([]string, error) {
	for letters != "" {
		f := c.shorthand(letters[0])
		if f == nil {
			_, size := utf8.DecodeRuneInString(letters)
			return nil, &UnknownFlagError{Name: letters[:size], Group: letters}
		}
		letters = letters[1:]
		value, given := strings.CutPrefix(letters, "=")
		given = given && value != ""
		switch {
		case given:
			letters = ""
		case f.alone():
			value = "true"
		case letters != "":
			value, letters = letters, ""
		case len(rest) == 0:
			return nil, &MissingValueError{Flag: f}
		default:
			value, rest = rest[0], rest[1:]
		}
		if err := f.set(value); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// An UnknownFlagError is a flag that the command does not have.
type UnknownFlagError struct {
	Name  string // as it was typed, without its dashes
	Group string // the letters from Name on that stood behind one dash; empty of a long flag
	Amid  bool   // words stand before it, and no "--" is behind it
}

func (e *UnknownFlagError) Error() string {
	if e.Group != "" {
		return "no such flag: -" + e.Name
	}
	return "no such flag: --" + e.Name
}

// A MissingValueError is a flag at the end of the line that needs a value.
type MissingValueError struct{ Flag *Flag }

func (e *MissingValueError) Error() string { return "--" + e.Flag.Name + " needs a value" }

// An InvalidValueError is a value that the flag cannot have.
type InvalidValueError struct {
	Flag  *Flag
	Value string
	Err   error
}

func (e *InvalidValueError) Error() string {
	return "--" + e.Flag.Name + ": " + e.Err.Error()
}

func (e *InvalidValueError) Unwrap() error { return e.Err }

// A SyntaxError is a word that begins like a flag but is not one, such as "--=x".
type SyntaxError struct{ Word string }

func (e *SyntaxError) Error() string { return "bad flag syntax: " + e.Word }
