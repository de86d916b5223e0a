package ctl_test

import (
	"strings"
	"testing"
)

// The command in any hint goes to the daemon that was asked.
func TestHints_NameTheSocketThatWasGiven(t *testing.T) {
	const row = `{"id":"a","kind":"openai","state":"STOPPED","reason":"no_credentials","hint":"name a key, then: providerctl reload"}`
	denied := refused(403, `{"error":{"code":"denied","message":"not for you","hint":"sudo providerctl reload"}}`)
	d := startDaemon(t, map[string][]reply{
		"GET /api/providers/status":               {rows(row)},
		"GET /api/providers/status?provider_id=a": {rows(row)},
		"POST /api/daemon/reload":                 {denied},
		"POST /api/providers/a/pause":             {ok(`{"message":"Paused"}`)},
	})
	for line, want := range map[string]string{
		"status": "a  name a key, then: providerctl --socket " + d.socket + " reload\n", "status a": "then: providerctl --socket " + d.socket + " reload\n",
		"status -o wide": "then: providerctl --socket " + d.socket + " reload", "reload": "hint: sudo providerctl --socket " + d.socket + " reload\n",
		"stauts": "did you mean: providerctl --socket " + d.socket + " status\n", "status -o json": "then: providerctl reload",
	} {
		if got := run(t.Context(), append([]string{"--socket", d.socket}, strings.Fields(line)...)...); !strings.Contains(got.out+got.err, want) {
			t.Errorf("%s: %+v, want %q", line, got, want)
		}
		variable := map[string]string{"PROVIDERD_SOCKET": d.socket}
		if got := runIn(t.Context(), variable, strings.Fields(line)...); strings.Contains(got.out+got.err, "providerctl --socket") != (line == "reload") {
			t.Errorf("%s, by the variable: %+v", line, got)
		}
	}
	absent := folder(t) + "/no such/s"
	run(t.Context(), "--socket", absent, "health").want(t, 3, "", "hint: start it: providerd --socket '"+absent+"'\n")
}
