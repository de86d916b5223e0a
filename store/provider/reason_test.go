package provider_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/store/provider"
)

var update = flag.Bool("update", false, "write docs/reasons.md")

// Every reason has one row, and every row has a reason. All except one are seen by a probe,
// or caused by a person.
func TestReasons_HaveOneRowEach(t *testing.T) {
	rows := map[string]int{}
	for _, m := range provider.Reasons {
		rows[string(m.Reason)]++
		if m.Seen == "" || m.Reason.Meaning() != m || (m.Weight == "") != (m.Reason == provider.NotChecked) {
			t.Errorf("%s: %+v", m.Reason, m.Reason.Meaning())
		}
	}
	reasons := constants(t, "reason.go", "Reason")
	if len(reasons) < 25 {
		t.Fatalf("only %d reasons found", len(reasons))
	}
	for _, reason := range reasons {
		if rows[reason] != 1 {
			t.Errorf("%s has %d rows", reason, rows[reason])
		}
		delete(rows, reason)
	}
	if len(rows) > 0 {
		t.Errorf("rows of no reason: %v", rows)
	}
}

// The table of docs/reasons.md is that of the program; -update writes it.
func TestReasons_Documented(t *testing.T) {
	const path, open, shut = "../../docs/reasons.md", "<!-- reasons -->\n", "<!-- end of reasons -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| reason | state | changes | needs a person | what was seen |\n|---|---|---|---|---|\n")
	for _, m := range provider.Reasons {
		state, changes, person := "unchanged", strings.Replace(string(m.Weight), "fall", "`fall`", 1), ""
		if m.State != "" {
			state = string(m.State)
		}
		if m.NeedsPerson {
			person = "yes"
		}
		table.WriteString("| `" + string(m.Reason) + "` | " + strings.Join([]string{state, changes, person, m.Seen}, " | ") + " |\n")
	}
	before, rest, ok := strings.Cut(string(text), open)
	_, after, closed := strings.Cut(rest, shut)
	if !ok || !closed {
		t.Fatalf("%s lacks the marks %q and %q", path, open, shut)
	}
	doc := before + open + table.String() + shut + after
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(text), doc); diff != "" && !*update {
		t.Errorf("%s (-is +should be; go test -run Documented ./store/provider -update):\n%s", path, diff)
	}
}

func TestSeen(t *testing.T) {
	if got, want := provider.Seen(provider.Slow), "up, but slower than slow_after, fall times in a row"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := provider.Seen("of_the_future"); got != "of_the_future" {
		t.Errorf("an unknown reason was seen as %q", got)
	}
}

// Every reason except the good one has a hint.
func TestHint_EveryReasonHasOne(t *testing.T) {
	for _, m := range provider.Reasons {
		hint := provider.Hint(m.Reason, provider.Subject{ID: "my-id", Endpoint: "http://127.0.0.1:1", KeyEnv: "SOME_API_KEY"})
		if (hint == "") != (m.Reason == provider.OK) {
			t.Errorf("hint of %s: %q", m.Reason, hint)
		}
		if strings.ContainsAny(hint, "{}") {
			t.Errorf("hint of %s has a hole: %q", m.Reason, hint)
		}
	}
}

// A kind's own hints come first, with the provider's own values filled in.
func TestHint_OfAKind(t *testing.T) {
	about := provider.Subject{ID: "a", Endpoint: "tls://h:443", Hints: provider.Hints{
		provider.TLSFailure: "renew the certificate at {endpoint}; see: providerctl diagnose {id}",
	}}
	if got, want := provider.Hint(provider.TLSFailure, about), "renew the certificate at tls://h:443; see: providerctl diagnose a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := provider.Hint(provider.ConnectTimeout, about), "check the host, its firewall and the port in tls://h:443"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A missing model is named if it is known, as a word of a command line.
func TestHint_NamesTheModel(t *testing.T) {
	hints := provider.Hints{provider.ModelMissing: "ollama pull {model}"}
	for model, want := range map[string]string{
		"qwen3:32b":               "ollama pull qwen3:32b",
		"hf.co/some_body/a-b:Q4":  "ollama pull hf.co/some_body/a-b:Q4",
		"":                        "ollama pull MODEL",
		"two words; rm -r 'them'": `ollama pull 'two words; rm -r '\''them'\'''`,
	} {
		if got := provider.Hint(provider.ModelMissing, provider.Subject{Hints: hints, Model: model}); got != want {
			t.Errorf("%q: %q, want %q", model, got, want)
		}
	}
}

// The variable of a key is named if it is known. A restored row may lack a key that is
// there by now.
func TestHint_NamesTheVariable(t *testing.T) {
	for keyEnv, want := range map[string]string{
		"GROQ_API_KEY": "start providerd with GROQ_API_KEY set, ",
		"":             "start providerd with its API key set, ",
	} {
		if got := provider.Hint(provider.NoCredentials, provider.Subject{KeyEnv: keyEnv}); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, want %q…", keyEnv, got, want)
		}
	}
}
