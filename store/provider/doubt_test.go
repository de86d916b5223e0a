package provider_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

// A doubt in an older daemon's words is the same doubt.
func TestDoubt_InWordsAndBack(t *testing.T) {
	for text, want := range map[string]provider.Doubt{
		"in doubt (1 of 2): hung":                             {Saw: provider.Hung, Count: 1, Of: 2},
		"in doubt (0 of 2): hung: reported by uid 1000":       {Saw: provider.Hung, Detail: "reported by uid 1000", Of: 2},
		"in doubt (2 of 3): server_error: 500: oh: dear (x):": {Saw: provider.ServerError, Detail: "500: oh: dear (x):", Count: 2, Of: 3},
		"in doubt, while others are asked: connect_timeout: no connection within 5s": {
			Saw: provider.ConnectTimeout, Detail: "no connection within 5s"},
		"in doubt, while others are asked: dns_failure": {Saw: provider.DNSFailure},
		"recovering (1 of 2 good answers)":              {Saw: provider.OK, Count: 1, Of: 2},
	} {
		t.Run(text, func(t *testing.T) {
			got := provider.ParseDoubt(text)
			if got == nil {
				t.Fatal("no doubt is read")
			}
			if diff := cmp.Diff(want, *got); diff != "" {
				t.Error(diff)
			}
			if again := got.String(); again != text {
				t.Errorf("in words it is %q", again)
			}
		})
	}
}

func TestDoubt_OtherDetailsTellNone(t *testing.T) {
	for _, text := range []string{
		"", "answered in 1.2s, slow_after is 1s", "in doubt", "in doubt about everything", "in doubt (1 of", "in doubt (a of b): hung",
		"in doubt (1 of 2)", "in doubt (1 of 0): hung", "recovering", "recovering (after a crash)", "recovering (1 of 2 good", "not in doubt (1 of 2): hung",
	} {
		if d := provider.ParseDoubt(text); d != nil {
			t.Errorf("%q is read as %+v", text, *d)
		}
	}
}
