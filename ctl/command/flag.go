package command

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Value is what a flag sets.
type Value interface {
	String() string
	Set(text string) error
	Type() string // such as "duration"; help shows it if the usage has no `name`
}

// A Flag is one flag of a command.
type Flag struct {
	Name      string
	Shorthand string // one letter, or none
	Usage     string // its description, which can have the `name` of its value
	Value     Value
	Changed   bool           // it was on the command line
	Hidden    bool           // from help and completion
	Complete  CompletionFunc // offers values; nil offers none

	before string // the value's text before it was changed
}

// Default is its value if it is not on the command line.
func (f *Flag) Default() string {
	if f.Changed {
		return f.before
	}
	return f.Value.String()
}

func (f *Flag) set(text string) error {
	before := f.Default()
	if err := f.Value.Set(text); err != nil {
		return &InvalidValueError{Flag: f, Value: text, Err: err}
	}
	f.before, f.Changed = before, true
	return nil
}

// alone reports whether the flag needs no value.
func (f *Flag) alone() bool { return f.Value.Type() == "bool" }

// UnquoteUsage returns the name of the flag's value, which is empty if it needs none, and
// its usage without the marks around that name.
func (f *Flag) UnquoteUsage() (name, usage string) {
	before, rest, marked := strings.Cut(f.Usage, "`")
	if name, after, closed := strings.Cut(rest, "`"); marked && closed {
		return name, before + name + after
	}
	switch name = f.Value.Type(); name {
	case "bool":
		name = ""
	case "uint64":
		name = "uint"
	}
	return name, f.Usage
}

// A FlagSet is a set of flags, in the order in which they were defined.
type FlagSet struct{ flags []*Flag }

// Lookup returns the flag with that name, or nil.
func (s *FlagSet) Lookup(name string) *Flag {
	for _, f := range s.flags {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func (s *FlagSet) shorthand(letter byte) *Flag {
	for _, f := range s.flags {
		if f.Shorthand != "" && f.Shorthand[0] == letter {
			return f
		}
	}
	return nil
}

// Changed reports whether the flag with that name was on the command line.
func (s *FlagSet) Changed(name string) bool {
	f := s.Lookup(name)
	return f != nil && f.Changed
}

// Sorted are the flags sorted by name.
func (s *FlagSet) Sorted() []*Flag {
	return slices.SortedFunc(slices.Values(s.flags), func(a, b *Flag) int { return cmp.Compare(a.Name, b.Name) })
}

// VarP defines a flag of any kind. It panics if there already is one with that name or
// shorthand.
func (s *FlagSet) VarP(v Value, name, shorthand, usage string) *Flag {
	if s.Lookup(name) != nil || shorthand != "" && s.shorthand(shorthand[0]) != nil {
		panic("two flags are called --" + name + " or -" + shorthand)
	}
	f := &Flag{Name: name, Shorthand: shorthand, Usage: usage, Value: v}
	s.flags = append(s.flags, f)
	return f
}

// Var is [FlagSet.VarP] without a shorthand.
func (s *FlagSet) Var(v Value, name, usage string) *Flag { return s.VarP(v, name, "", usage) }

// BoolVarP defines a flag that needs no value.
func (s *FlagSet) BoolVarP(p *bool, name, shorthand string, value bool, usage string) *Flag {
	return define(s, &truth, p, name, shorthand, value, usage)
}

// BoolVar is [FlagSet.BoolVarP] without a shorthand.
func (s *FlagSet) BoolVar(p *bool, name string, value bool, usage string) *Flag {
	return define(s, &truth, p, name, "", value, usage)
}

// StringVarP defines a flag whose value is a string.
func (s *FlagSet) StringVarP(p *string, name, shorthand, value, usage string) *Flag {
	return define(s, &plain, p, name, shorthand, value, usage)
}

// StringVar is [FlagSet.StringVarP] without a shorthand.
func (s *FlagSet) StringVar(p *string, name, value, usage string) *Flag {
	return define(s, &plain, p, name, "", value, usage)
}

// IntVarP defines a flag whose value is a whole number.
func (s *FlagSet) IntVarP(p *int, name, shorthand string, value int, usage string) *Flag {
	return define(s, &whole, p, name, shorthand, value, usage)
}

// IntVar is [FlagSet.IntVarP] without a shorthand.
func (s *FlagSet) IntVar(p *int, name string, value int, usage string) *Flag {
	return define(s, &whole, p, name, "", value, usage)
}

// Uint64Var defines a flag whose value is a whole number, 0 or more.
func (s *FlagSet) Uint64Var(p *uint64, name string, value uint64, usage string) *Flag {
	return define(s, &natural, p, name, "", value, usage)
}

// DurationVar defines a flag whose value [time.ParseDuration] reads.
func (s *FlagSet) DurationVar(p *time.Duration, name string, value time.Duration, usage string) *Flag {
	return define(s, &duration, p, name, "", value, usage)
}

func define[T any](s *FlagSet, k *kind[T], p *T, name, shorthand string, value T, usage string) *Flag {
	*p = value
	return s.VarP(variable[T]{p, k}, name, shorthand, usage)
}

// A kind is what flags of one type have in common.
type kind[T any] struct {
	name  string
	read  func(text string) (T, error)
	write func(T) string
}

var (
	truth = kind[bool]{"bool", strconv.ParseBool, strconv.FormatBool}
	plain = kind[string]{"string", func(text string) (string, error) { return text, nil }, func(text string) string { return text }}
	whole = kind[int]{"int", func(text string) (int, error) {
		v, err := strconv.ParseInt(text, 0, strconv.IntSize)
		return int(v), err
	}, strconv.Itoa}
	natural = kind[uint64]{"uint64", func(text string) (uint64, error) { return strconv.ParseUint(text, 0, 64) },
		func(v uint64) string { return strconv.FormatUint(v, 10) }}
	duration = kind[time.Duration]{"duration", time.ParseDuration, time.Duration.String}
)

// A variable is the variable that a flag sets.
type variable[T any] struct {
	at *T
	*kind[T]
}

func (v variable[T]) String() string { return v.write(*v.at) }
func (v variable[T]) Type() string   { return v.name }

// Set leaves the variable alone if the text is not valid.
func (v variable[T]) Set(text string) error {
	value, err := v.read(text)
	if err == nil {
		*v.at = value
	}
	return err
}
