package probe_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/providerd/providerd/daemon/config"
	"github.com/providerd/providerd/daemon/probe"
	"github.com/providerd/providerd/packaging/man"
	"github.com/providerd/providerd/store/provider"
)

var update = flag.Bool("update", false, "write what the documents say of kinds anew")

// TestKinds_Documented compares the tables of docs/kinds.md with the kinds and with what a
// probe sends to a healthy provider; -update writes them.
func TestKinds_Documented(t *testing.T) {
	const path = "../../docs/kinds.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	for _, section := range []struct {
		kind provider.Type
		head string
		row  func(testing.TB, config.Kind) []string
	}{
		{provider.Local, "kind|address|key|OpenAI's API|requests", webRow},
		{provider.Cloud, "kind|address|key|OpenAI's API|requests", webRow},
		{provider.Generic, "kind|base_url|own settings", genericRow},
	} {
		head := strings.Split(section.head, "|")
		rows := [][]string{head, strings.Split(strings.Repeat("---|", len(head)-1)+"---", "|")}
		for _, k := range probe.Kinds() {
			if k.Type == section.kind {
				rows = append(rows, section.row(t, k))
			}
		}
		var table strings.Builder
		for _, cells := range rows {
			table.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		}
		open, shut := fmt.Sprintf("<!-- %s -->\n", section.kind), fmt.Sprintf("<!-- end of %s -->\n", section.kind)
		before, rest, ok := strings.Cut(doc, open)
		_, after, closed := strings.Cut(rest, shut)
		if !ok || !closed {
			t.Fatalf("%s lacks the marks %q and %q", path, open, shut)
		}
		doc = before + open + table.String() + shut + after
	}
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(text), doc); diff != "" && !*update {
		t.Errorf("%s (-is +should be; go test -run Documented ./daemon/probe -update):\n%s", path, diff)
	}
}

// TestKinds_DocumentedInTheManual compares the list of providerd.toml(5) with the kinds;
// -update writes it.
func TestKinds_DocumentedInTheManual(t *testing.T) {
	const path = "../../packaging/man/providerd.toml.5"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	list := ".Bl -tag -width openai-compatible -compact\n"
	for _, k := range probe.Kinds() {
		list += ".It Cm " + k.Name + "\n"
		switch {
		case k.BaseURL != "":
			list += man.Text(k.BaseURL)
		case k.Address != nil:
			list += "no address\n"
		case k.Example != "":
			list += man.Text("as in " + k.Example)
		default:
			list += ".Ic base_url\nmust be given\n"
		}
		if len(k.KeyEnv) > 0 {
			list += ".Ev " + strings.Join(keyVariables(k), " , ") + "\n"
		}
	}
	should, err := man.Replace(string(page), "kinds", list+".El\n")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(should), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(page), should); diff != "" {
		t.Errorf("%s (-is +should be; go test -run Documented ./daemon/probe -update):\n%s", path, diff)
	}
}

// webRow is a kind that is asked over HTTP.
func webRow(t testing.TB, k config.Kind) []string {
	address, key := "`base_url` must be given", "–"
	if k.BaseURL != "" {
		address = "`" + k.BaseURL + "`"
	}
	if k.AddrEnv != "" {
		address += ", or `" + k.AddrEnv + "`"
	}
	openai := "–"
	switch {
	case k.OpenAI == "/":
		openai = "the address"
	case k.OpenAI != "":
		openai = "`" + k.OpenAI + "`"
	}
	if len(k.KeyEnv) > 0 {
		key = "`" + strings.Join(keyVariables(k), "`, `") + "`"
	}
	requests := "–"
	if s := healthyScenario(t, k); s != nil {
		var asked []string // one that makes sure of the kind may be sent again for its facts
		for _, r := range s.Want.Requests {
			if !slices.Contains(asked, r) {
				asked = append(asked, r)
			}
		}
		requests = "`" + strings.Join(asked, "`, `") + "`"
	}
	return []string{"`" + k.Name + "`", address, key, openai, requests}
}

// keyVariables are the variables in which a kind's key is looked for.
func keyVariables(k config.Kind) []string {
	if k.TokenEnv == "" {
		return k.KeyEnv
	}
	return append([]string{k.TokenEnv}, k.KeyEnv...)
}

// genericRow is a generic kind, which the configuration defines.
func genericRow(_ testing.TB, k config.Kind) []string {
	address := "none"
	switch {
	case k.Example != "":
		address = "`" + k.Example + "`"
	case k.Address == nil && k.Schemes == nil:
		address = "`http://127.0.0.1:8000/health`"
	case k.Address == nil:
		address = "`" + k.Schemes[0] + "://127.0.0.1:5432`"
	}
	settings := "–"
	if len(k.Settings) > 0 {
		settings = "`" + strings.Join(k.Settings, "`, `") + "`"
	}
	return []string{"`" + k.Name + "`", address, settings}
}
