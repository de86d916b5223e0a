package ctl

import (
	"slices"
	"testing"
)

// A command in a hint can be typed as it is.
func TestAddressed(t *testing.T) {
	for _, tc := range []struct{ text, flag, variable, want string }{
		{"start it, then: providerctl wait a --for RUNNING", "/x/s", "", "start it, then: providerctl --socket /x/s wait a --for RUNNING"},
		{"see: providerctl logs", "", "/x/s", "see: providerctl logs"}, // the variable still holds
		{"sudo providerctl reload; or join", "", "/x/s", "sudo providerctl --socket /x/s reload; or join"},
		{"sudo providerctl reload", "/y", "/x/s", "sudo providerctl --socket /y reload"},
		{"compare providerctl version with providerctl info", "s", "", "compare providerctl version with providerctl --socket s info"},
		{"see: providerctl --help", "s", "", "see: providerctl --help"},
		{"if you mean that daemon: providerctl --socket PATH", "s", "", "if you mean that daemon: providerctl --socket PATH"},
		{"of providerctl there are two; providerd logs", "s", "", "of providerctl there are two; providerd logs"},
		{"providerctl logs", "/a b/it's", "", `providerctl --socket '/a b/it'\''s' logs`},
	} {
		commands := []string{"wait", "logs", "reload", "info"}
		if got := addressed(tc.text, func(word string) bool { return slices.Contains(commands, word) }, tc.flag, tc.variable); got != tc.want {
			t.Errorf("%q becomes %q, want %q", tc.text, got, tc.want)
		}
	}
}
