package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerd/providerd/store/provider"
)

func TestParseState(t *testing.T) {
	for text, want := range map[string]provider.State{
		"RUNNING": provider.StateRunning, "running": provider.StateRunning, "Ready": provider.StateRunning,
		"DISCONNECTED": provider.StateStopped, "error": provider.StateError,
	} {
		if got, err := provider.ParseState(text); got != want || err != nil {
			t.Errorf("%q is %q, %v, want %q", text, got, err, want)
		}
	}
	for _, state := range provider.States {
		if got, err := provider.ParseState(string(state)); got != state || err != nil {
			t.Errorf("%q is %q, %v", state, got, err)
		}
	}
	if _, err := provider.ParseState("UP"); err == nil || !strings.Contains(err.Error(), "RUNNING") {
		t.Errorf("error %v does not say what to use", err)
	}
}

// constants are the values of a type's constants, as the source declares them.
func constants(t *testing.T, file, typeName string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typeName {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		return true
	})
	return values
}

// Every reason but the good one says what to do next.
func TestHint_EveryReasonHasOne(t *testing.T) {
	reasons := constants(t, "reason.go", "Reason")
	if len(reasons) < 25 {
		t.Fatalf("only %d reasons found", len(reasons))
	}
	for _, reason := range reasons {
		hint := provider.Hint(provider.Reason(reason), provider.Subject{
			Kind: "ollama", ID: "my-id", Endpoint: "http://127.0.0.1:1", KeyEnv: "SOME_API_KEY",
		})
		if (hint == "") != (reason == "ok") {
			t.Errorf("hint of %s: %q", reason, hint)
		}
		if strings.ContainsAny(hint, "{}") {
			t.Errorf("hint of %s has a hole: %q", reason, hint)
		}
	}
}

// A kind whose address is never http is not told to try https.
func TestHint_OfTLS(t *testing.T) {
	got := provider.Hint(provider.TLSFailure, provider.Subject{Kind: "tls", ID: "a", Endpoint: "tls://h:443"})
	if want := "renew or correct the certificate at tls://h:443; see: providerctl diagnose a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What was seen is said in the same words by docs/reasons.md.
func TestSeen_AsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|[^|]*\\|[^|]*\\| (.+) \\|$").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 25 {
		t.Fatalf("only %d reasons found", len(rows))
	}
	for _, row := range rows {
		want := strings.ReplaceAll(row[2], "`", "")
		if got := provider.Seen(provider.Reason(row[1])); got != want {
			t.Errorf("seen.go says of %s %q, docs/reasons.md says %q", row[1], got, want)
		}
	}
	if got := provider.Seen("of_the_future"); got != "of_the_future" {
		t.Errorf("an unknown reason was seen as %q", got)
	}
}

// One table says what each code means over HTTP and for the exit code.
func TestCodes_EveryOneIsInTheTable(t *testing.T) {
	codes := constants(t, "error.go", "Code")
	if len(codes) < 10 {
		t.Fatalf("only %d codes found", len(codes))
	}
	for _, code := range codes {
		err := fmt.Errorf("ask: %w", provider.Errorf(provider.Code(code), "", "no"))
		if exit := provider.ExitCode(err); exit < 1 || exit > 6 {
			t.Errorf("exit code of %s: %d", code, exit)
		}
		if status := provider.Code(code).HTTPStatus(); status < 400 || status > 504 || status == 500 && code != "internal" {
			t.Errorf("status of %s: %d", code, status)
		}
	}
}

func TestExitCode(t *testing.T) {
	for want, err := range map[int]error{
		0: nil,
		1: errors.New("anything"),
		2: provider.Errorf(provider.BadRequest, "", "x"),
		3: provider.Errorf(provider.DaemonUnreachable, "", "x"),
		4: provider.Errorf(provider.Denied, "", "x"),
		5: provider.Errorf(provider.UnknownProvider, "", "x"),
		6: provider.Errorf(provider.TimedOut, "", "x"),
	} {
		if got := provider.ExitCode(err); got != want {
			t.Errorf("%v exits %d, want %d", err, got, want)
		}
	}
}

func TestTime_IsMillisecondsInUTC(t *testing.T) {
	at := provider.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.FixedZone("x", 3600))}
	b, err := json.Marshal(provider.Status{CheckedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"checked_at":"2026-01-02T02:04:05.678Z"`) {
		t.Errorf("%s", b)
	}
	for _, unknown := range []string{"since", "retry_at", "last_ok_at", "detail", "models_count"} {
		if strings.Contains(string(b), `"`+unknown+`"`) {
			t.Errorf("%s is unknown and not left out: %s", unknown, b)
		}
	}
	var back provider.Status
	if err := json.Unmarshal(b, &back); err != nil || !back.CheckedAt.Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("%v %v", back.CheckedAt, err)
	}
}

// The variable of a key is named where it is known: a row that was restored may
// lack a key that is there by now.
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
