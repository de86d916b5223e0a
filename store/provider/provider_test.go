package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
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

// One table has the HTTP status and the exit code of each code.
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

// A hint is found through wrapping errors, and an error without one has none.
func TestHintOf(t *testing.T) {
	err := fmt.Errorf("install: %w", provider.WithHint("access denied", "sudo providerd service install"))
	if got := provider.HintOf(err); err.Error() != "install: access denied" || got != "sudo providerd service install" {
		t.Errorf("%v, hint %q", err, got)
	}
	if got := provider.HintOf(errors.New("no idea")); got != "" {
		t.Errorf("hint %q of an error without one", got)
	}
}
