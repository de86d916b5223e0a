package home

import (
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	for _, tt := range []struct {
		name, variable string
		uid            int
		want           string
	}{
		{"Variable", "/home/ada", 1000, "/home/ada"},
		{"RootsOwn", "/", 0, "/"},
		{"OfNoAccountInAContainer", "/", 1<<31 - 7, ""},
		{"NoVariableAndNoAccount", "", 1<<31 - 7, ""},
		{"RelativeIsNone", "ada", 1<<31 - 7, ""},
		{"NoNumbers", "", -1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Folder(tt.variable, tt.uid); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestInAccounts(t *testing.T) {
	const list = "root:x:0:0:root:/root:/bin/sh\n# a comment\n\nbroken:x:7\nada:x:1000:1000:Ada, of 1000:/home/ada/:/bin/sh\n" +
		"twin:x:1000:1000::/home/twin:/bin/sh\nrelative:x:8:8::home:/bin/sh\nshort:x:9:9::/home/short\n+::::::\n"
	for uid, want := range map[int]string{0: "/root", 1000: "/home/ada", 7: "", 8: "", 9: "/home/short", 10: "", 100: ""} {
		if got := inAccounts(strings.NewReader(list), uid); got != want {
			t.Errorf("%d: got %q, want %q", uid, got, want)
		}
	}
	for name, want := range map[string]int{"root": 0, "ada": 1000, "broken": 7, "nobody": -1, "": -1, "+": -1, "# a comment": -1} {
		if got := numberIn(strings.NewReader(list), name); got != want {
			t.Errorf("%q: got %d, want %d", name, got, want)
		}
	}
	if got := inAccounts(strings.NewReader(""), 0); got != "" {
		t.Errorf("of an empty list it is %q", got)
	}
}
