package main

import (
	"debug/buildinfo"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var made = time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))

func program(name string, deps ...*debug.Module) *debug.BuildInfo {
	return &debug.BuildInfo{GoVersion: "go1.26.1", Path: "example.com/x/prog/cmd/" + name, Main: debug.Module{Path: "example.com/x/prog"}, Deps: deps}
}

func refs(b bom) (refs []string) {
	for _, c := range b.Components {
		refs = append(refs, c.Ref)
	}
	return refs
}

// What any of the programs links is in the bill once, at its version, and below each program
// that links it; a module that was replaced is not, and what replaces it is.
func TestBill_HasWhatIsLinked(t *testing.T) {
	b := bill([]*debug.BuildInfo{
		program("one", &debug.Module{Path: "example.com/b", Version: "v1.0.0", Sum: "h1:b"}),
		program("one", &debug.Module{Path: "example.com/a/v2", Version: "v2.0.0+incompatible"}), // on another system
		program("two", &debug.Module{Path: "example.com/b", Version: "v1.0.0", Sum: "h1:b"},
			&debug.Module{Path: "example.com/c", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/d", Version: "v3.0.0"}}),
	}, "v1.2.3", made)
	const (
		a, b1, d, std = "pkg:golang/example.com/a/v2@v2.0.0%2Bincompatible", "pkg:golang/example.com/b@v1.0.0", "pkg:golang/example.com/d@v3.0.0", "pkg:golang/std@1.26.1"
		main          = "pkg:golang/example.com/x/prog@v1.2.3"
		one, two      = main + "#cmd/one", main + "#cmd/two"
	)
	want := []string{a, b1, d, one, two, std}
	if got := refs(b); !slices.Equal(got, want) {
		t.Errorf("components %q, want %q", got, want)
	}
	if c := b.Metadata.Component; c.Name != "prog" || c.Version != "v1.2.3" || c.PURL != "pkg:golang/example.com/x/prog@v1.2.3" || b.Components[3].Name != "one" {
		t.Errorf("it is the bill of %+v", c)
	}
	below := map[string][]string{}
	for _, dep := range b.Dependencies {
		below[dep.Ref] = dep.DependsOn
	}
	if want := map[string][]string{main: {one, two}, one: {a, b1, std}, two: {b1, d, std}, a: nil, b1: nil, d: nil, std: nil}; !maps.EqualFunc(below, want, slices.Equal) {
		t.Errorf("dependencies %+v, want %+v", below, want)
	}
	if b.Metadata.Timestamp != "2026-01-02T02:04:05Z" {
		t.Errorf("made at %s", b.Metadata.Timestamp)
	}
}

// The order of the programs does not count, and another part gives another number.
func TestBill_SerialNumberIsThatOfItsContents(t *testing.T) {
	one := program("one", &debug.Module{Path: "example.com/b", Version: "v1.0.0"})
	two := program("two", &debug.Module{Path: "example.com/c", Version: "v1.0.0"})
	b := bill([]*debug.BuildInfo{one, two}, "v1.2.3", made)
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(b.SerialNumber) {
		t.Errorf("%q is no UUID", b.SerialNumber)
	}
	if again := bill([]*debug.BuildInfo{two, one}, "v1.2.3", made); again.SerialNumber != b.SerialNumber {
		t.Errorf("the same parts have %s and %s", b.SerialNumber, again.SerialNumber)
	}
	for name, other := range map[string]bom{
		"Parts":   bill([]*debug.BuildInfo{one}, "v1.2.3", made),
		"Version": bill([]*debug.BuildInfo{one, two}, "v1.2.4", made),
		"Time":    bill([]*debug.BuildInfo{one, two}, "v1.2.3", made.Add(time.Second)),
	} {
		if other.SerialNumber == b.SerialNumber {
			t.Errorf("another %s has the same number", name)
		}
	}
}

// This test is a program too, and its bill has what its linker recorded.
func TestBill_OfAFile(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(bill([]*debug.BuildInfo{info}, "v1.2.3", made))
	if err != nil {
		t.Fatal(err)
	}
	if want := `"ref":"pkg:golang/std@` + strings.TrimPrefix(info.GoVersion, "go") + `"`; !strings.Contains(string(text), want) {
		t.Errorf("%s is not in %s", want, text)
	}
}
